# install.mk - make install PREFIX=/usr/local DESTDIR= LIBDIR=PREFIX/lib

PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
INSTALL ?= install

MAN_SECTIONS := $(foreach n,1 3 7,$(if $(wildcard docs/man/*.$(n)),$(n)))
INSTALLED_MODEL := $(wildcard $(OUT)/minimm)

.PHONY: install uninstall

install: library				## headers, library, rangelock.pc, man pages, and minimm if built
	$(INSTALL) -d $(DESTDIR)$(INCLUDEDIR)/rangelock $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 644 $(wildcard include/*.h) $(DESTDIR)$(INCLUDEDIR)/
	$(if $(wildcard include/rangelock/*.h),$(INSTALL) -m 644 \
		$(wildcard include/rangelock/*.h) $(DESTDIR)$(INCLUDEDIR)/rangelock/)
	$(INSTALL) -m 644 $(OUT)/librangelock.a $(DESTDIR)$(LIBDIR)/
	$(INSTALL) -m 755 $(OUT)/librangelock.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/librangelock.so.$(VERSION)
	ln -sf librangelock.so.$(VERSION) $(DESTDIR)$(LIBDIR)/librangelock.so.$(SOVERSION)
	ln -sf librangelock.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/librangelock.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		rangelock/rangelock.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/rangelock.pc
	$(if $(INSTALLED_MODEL),$(INSTALL) -d $(DESTDIR)$(BINDIR) && \
		$(INSTALL) -m 755 $(OUT)/minimm $(DESTDIR)$(BINDIR)/)
	for n in $(MAN_SECTIONS); do \
		$(INSTALL) -d $(DESTDIR)$(MANDIR)/man$$n && \
		$(INSTALL) -m 644 docs/man/*.$$n $(DESTDIR)$(MANDIR)/man$$n/ || exit 1; \
	done

uninstall:					## remove what install put there
	rm -f $(patsubst include/%,$(DESTDIR)$(INCLUDEDIR)/%,$(PUBLIC_HEADERS)) \
		$(DESTDIR)$(LIBDIR)/librangelock.a $(DESTDIR)$(LIBDIR)/librangelock.so \
		$(DESTDIR)$(LIBDIR)/librangelock.so.$(SOVERSION) \
		$(DESTDIR)$(LIBDIR)/librangelock.so.$(VERSION) \
		$(DESTDIR)$(LIBDIR)/pkgconfig/rangelock.pc $(DESTDIR)$(BINDIR)/minimm
	for n in $(MAN_SECTIONS); do \
		for page in docs/man/*.$$n; do \
			rm -f $(DESTDIR)$(MANDIR)/man$$n/$${page##*/}; \
		done; \
	done
	-rmdir $(DESTDIR)$(INCLUDEDIR)/rangelock 2>/dev/null
