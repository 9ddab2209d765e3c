# ngx_http_webhook_module: building and testing (GNU make)
#
#   make            builds build/ngx_http_webhook_module.so
#   make test       builds, runs t/*.t, or those of TESTS="t/a.t t/b.t"
#   make smoke      the same for few of them, in less than 20 seconds
#   make providers  writes what is made of the built-in schemes, and tests them
#   make matrix     builds and tests for many nginx, CELLS="clang static" for some
#   make interop    builds, tests with the providers' own libraries, a browser and
#                   a Prometheus
#   make neighbours builds, tests beside Debian's other modules for nginx
#   make fuzz       builds, tries the parts of t/fuzz with random input, or that of
#                   TARGET=name, each for SECONDS=n, 20 by default; with the same
#                   input again for the same SEED=n
#   make soak       builds, serves for MINUTES=n, 2 by default, with reloads and
#                   upgrades, and tells what nginx does not give back
#   make bench      builds, measures what a request costs, in instructions and time
#   make run        builds, shows the module at work; FLEET=1: three servers with
#                   a store; ONCE=1: and ends
#   make install    copies the module to where nginx looks for modules, and
#                   webhook-check with its man page below PREFIX, /usr/local
#   make dist       packs the source into build/dist/
#   make deb        builds the Debian package in build/deb/, tested by itself
#   make clean      removes all that was built
#   make help       prints this
#
#   NGINX_SRC=dir   for the nginx whose source is in dir, built where one is run;
#                   otherwise for the nginx that the distribution ships
#   SANITIZE=1      builds nginx too, both with ASan and UBSan, in build/sanitize/
#   LATE=1          in build/late/, with claims that are answered later, for tests
#   V=1             shows the commands of nginx's own makefile
#
# Debian packages that a target needs are installed first if they are missing;
# with NO_INSTALL=1 they are not, and tests that miss one are skipped.


NAME     := ngx_http_webhook_module
BUILD    := build
PREFIX   := /usr/local
NGINX_SRC  :=
SANITIZE :=
TESTS     = $(sort $(wildcard t/*.t))
TARGET    = $(sort $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c)))
SECONDS  := 20
SEED     := 0
MINUTES  := 2

# Those that reach most of the source in the least time, the longest first.  They
# leave out configurations that are refused, state files, and what takes time to
# happen.

SMOKE := $(patsubst %,t/%.t,dedup_delivery unit_table scheme_language \
           request_interrupted scheme_fields conf_secret scheme_signature \
           event_filter dedup_outcome_pages docs_reference)

SHELL := /bin/bash

.DEFAULT_GOAL := all

# sub-makes take part in -j if it was given, and use all cores if it was not
JOBS    = $(shell nproc)
SUBMAKE = $(MAKE) --no-print-directory $(if $(V),,-s) \
          $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))


# Each kind of build has its objects in build/obj-KIND, and leaves the module,
# and nginx where that is built too, in OUT.

ifneq ($(filter-out 0,$(SANITIZE)),)
KIND := sanitize
OUT  := $(BUILD)/sanitize
TREE  = $(or $(NGINX_SRC),$$(auto/nginx-source $(BUILD)/src))
else ifneq ($(filter fuzz,$(MAKECMDGOALS)),)
KIND := fuzz
OUT  := $(BUILD)/fuzz
TREE  = $(or $(NGINX_SRC),$$(auto/nginx-source $(BUILD)/src))
else ifneq ($(filter-out 0,$(LATE)),)
KIND := late
OUT  := $(BUILD)/late
TREE  = /usr/share/nginx/src
else ifneq ($(NGINX_SRC),)
KIND := source
OUT  := $(BUILD)
TREE  = $(NGINX_SRC)
else
KIND := debian
OUT  := $(BUILD)
TREE  = /usr/share/nginx/src
endif

OBJ    := $(abspath $(BUILD))/obj-$(KIND)
MODULE := $(OUT)/$(NAME).so

ifneq ($(filter debian late,$(KIND)),)
NGINX   = $(shell PATH=$$PATH:/usr/sbin command -v nginx)
else
BINARY := $(OUT)/nginx
NGINX  := $(abspath $(BINARY))
endif

LIBRARIES := $(BUILD)/interop/node_modules/.package-lock.json

PACKAGES := gcc libc6-dev libssl-dev libyajl-dev nginx nginx-dev \
            $(if $(filter fuzz,$(KIND)),clang)


# What an nginx built here can do: what Debian's can, as far as the module may
# meet it.  nginx-dev brings the flags of its own nginx instead.

NGX_FLAGS := --with-compat --with-debug --with-threads \
             --error-log-path=stderr \
             --with-http_ssl_module --with-http_v2_module \
             --with-http_addition_module --with-http_auth_request_module \
             --with-http_dav_module --with-http_gunzip_module \
             --with-http_realip_module --with-http_secure_link_module \
             --with-http_slice_module --with-http_stub_status_module \
             --with-http_sub_module \
             $(if $(wildcard $(NGINX_SRC)/src/http/v3),--with-http_v3_module)

# nginx itself adds -Wall -Wextra -Werror, and -Wno-unused-parameter: a handler
# does not use every parameter it has.

ifeq ($(filter sanitize fuzz,$(KIND)),)

CC_OPT := -g -O2 -fstack-protector-strong -Wformat -Werror=format-security \
          -D_FORTIFY_SOURCE=2
LD_OPT := -Wl,-z,relro -Wl,-z,now

# how nginx's own files compile is not our concern
CC_CORE := CC="cc -w"

ifeq ($(KIND),late)
CC_OPT += -DNGX_HTTP_WEBHOOK_LATE=1
export NGX_HTTP_WEBHOOK_LATE := t/unit/late_claim.c
endif

else

# nginx's own code copies no bytes from NULL (nonnull-attribute) and stores words
# at any address in HTTP/2 frames (alignment).  It is compiled without these two
# checks, the module with all of them; and the module stops at the first report.

CC_OPT  := -O1 -g -fno-omit-frame-pointer \
           -DNGX_DEBUG_PALLOC=1 -DNGX_DEBUG_MALLOC=1
LD_OPT  :=

ifeq ($(KIND),fuzz)
CC_ASAN := clang -fsanitize=address,undefined
CC_OURS := CC="$(CC_ASAN),fuzzer-no-link -fno-sanitize-recover=undefined"
else
CC_ASAN := cc -fsanitize=address,undefined
CC_OURS := CC="$(CC_ASAN) -fno-sanitize-recover=undefined"
endif

CC_CORE := CC="$(CC_ASAN) -w -fno-sanitize=alignment,nonnull-attribute" \
           LINK="$(CC_ASAN) $(OBJ)/sanitize.o"

$(BINARY): $(OBJ)/sanitize.o

$(OBJ)/sanitize.o: auto/sanitize.c $(OBJ)/Makefile
	@cc -Wall -Wextra -Werror -c -o $@ $<
	@rm -f $(OBJ)/nginx

export TEST_NGINX_SANITIZE := 1

endif

export NO_INSTALL


.PHONY: all test smoke providers interop neighbours fuzz soak matrix bench \
        run install dist deb clean help packages test-packages \
        neighbours-packages bench-packages run-packages deb-packages \
        interop-packages FORCE
.DELETE_ON_ERROR:

all: $(MODULE) $(if $(filter sanitize,$(KIND)),$(BINARY))

test: $(MODULE) $(BINARY) test-packages
	TEST_NGINX_BINARY=$(NGINX) TEST_NGINX_MODULE=$(abspath $(MODULE)) \
	    prove -j$(JOBS) -It/lib $(TESTS)

smoke: TESTS = $(SMOKE)
smoke: test

providers:
	@auto/providers-table --write
	@$(MAKE) --no-print-directory test TESTS="t/docs_reference.t \
	    t/scheme_providers.t t/scheme_vectors.t"

neighbours: TESTS = t/request_neighbours_modules.t
neighbours: neighbours-packages test

matrix:
	@auto/matrix $(CELLS)

print-%:
	@echo '$($*)'

interop: $(MODULE) $(BINARY) test-packages interop-packages $(LIBRARIES)
	@cp t/interop/*.mjs $(BUILD)/interop
	TEST_NGINX_BINARY=$(NGINX) TEST_NGINX_MODULE=$(abspath $(MODULE)) \
	    prove -It/lib t/interop/*.t

# the last file that npm writes; a node of another source than Debian's brings
# an npm of its own

$(LIBRARIES): $(addprefix t/interop/,package-lock.json package.json .npmrc)
	@command -v npm > /dev/null || auto/packages nodejs npm
	@mkdir -p $(BUILD)/interop && cp $^ $(BUILD)/interop
	cd $(BUILD)/interop && npm ci --loglevel=error
	@touch $@

fuzz: $(MODULE) $(BINARY)
	@auto/fuzz $(OBJ) $(OUT) $(SECONDS) $(SEED) $(TARGET)

soak: $(MODULE) $(BINARY) test-packages
	@TEST_NGINX_BINARY=$(NGINX) TEST_NGINX_MODULE=$(abspath $(MODULE)) \
	    tools/soak $(MINUTES)

bench: $(MODULE) $(BINARY) bench-packages
	@TEST_NGINX_BINARY=$(NGINX) TEST_NGINX_MODULE=$(abspath $(MODULE)) \
	    tools/bench

run: $(MODULE) $(BINARY) run-packages
	@auto/run $(if $(ONCE),--once) $(if $(FLEET),--fleet) $(NGINX) $(MODULE)

install: $(MODULE) $(BUILD)/webhook-check.1
	@dir=$$($(NGINX) -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p'); \
	[ "$$dir" ] || { echo "$(NGINX) has no --modules-path"; exit 1; }; \
	set -x; install -D -m 644 $(MODULE) "$(DESTDIR)$$dir/$(NAME).so"; \
	install -D -m 755 tools/webhook-check "$(DESTDIR)$(PREFIX)/bin/webhook-check"; \
	install -D -m 644 \
	    -t "$(DESTDIR)$(PREFIX)/share/webhook-check/Webhook/Check" \
	    tools/lib/Webhook/Check/*; \
	install -D -m 644 $(BUILD)/webhook-check.1 \
	    "$(DESTDIR)$(PREFIX)/share/man/man1/webhook-check.1"

$(BUILD)/webhook-check.1: tools/webhook-check
	@mkdir -p $(BUILD)
	@command -v pod2man > /dev/null || auto/packages perl
	pod2man --section=1 --center=$(NAME) --release=webhook-check $< $@

dist:
	@auto/dist $(BUILD)/dist

deb: deb-packages
	auto/deb $(BUILD)/deb

clean:
	rm -rf $(BUILD)

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))


packages:
	@auto/packages $(PACKAGES)

test-packages: packages
	@auto/packages curl faketime libhiredis-dev libnginx-mod-http-lua \
	    nghttp2-client openssl perl redis-tools valgrind

neighbours-packages: packages
	@auto/packages libnginx-mod-http-echo libnginx-mod-http-headers-more-filter \
	    libnginx-mod-http-js libnginx-mod-http-modsecurity libnginx-mod-nchan

interop-packages: packages
	@auto/packages chromium
	@auto/unpack $(BUILD)/interop/prometheus prometheus

bench-packages: packages
	@auto/packages perl valgrind

deb-packages: test-packages
	@auto/packages build-essential debhelper dpkg-dev fakeroot lintian

run-packages: packages
	@auto/packages curl openssl perl $(if $(FLEET),redis-tools)


# nginx's makefile knows what is out of date, so it is always asked.  A module
# in use must be replaced, not written over: install does that.

$(MODULE): $(OBJ)/Makefile FORCE
	@echo "building $@"
	+@cd $(OBJ)/tree && $(SUBMAKE) -f $(OBJ)/Makefile modules $(CC_OURS)
	@cmp -s $(OBJ)/$(NAME).so $@ || install -D -m 644 $(OBJ)/$(NAME).so $@

ifdef BINARY
$(BINARY): $(OBJ)/Makefile FORCE
	@echo "building $@"
	+@cd $(OBJ)/tree && $(SUBMAKE) -f $(OBJ)/Makefile binary $(CC_CORE)
	@cmp -s $(OBJ)/nginx $@ || install -D -m 755 $(OBJ)/nginx $@
endif


# configure runs in a folder of links to nginx's source: it writes a makefile of
# its own into the folder where it runs.

$(OBJ)/Makefile: $(OBJ)/origin config
	@echo "configuring for nginx in $$(head -1 $<)"
	@cd $(OBJ)/tree; \
	NGX_CONF_FLAGS=($(NGX_FLAGS)); \
	[ ! -f conf_flags ] || . ./conf_flags; \
	$$(ls configure auto/configure 2> /dev/null | sed 's,^,./,;q') \
	    "$${NGX_CONF_FLAGS[@]}" --builddir=$(OBJ) \
	    --with-cc-opt="$(CC_OPT)" --with-ld-opt="$(LD_OPT)" \
	    --add-dynamic-module=$(CURDIR) > $(OBJ)/configure.log \
	|| { cat $(OBJ)/configure.log; exit 1; }

# All that a configuration depends on but config: where it has changed, nothing
# built is kept.

$(OBJ)/origin: FORCE | packages
	@src=$(TREE); [ "$$src" ] && src=$$(readlink -e $$src) || exit 1; \
	mkdir -p $(OBJ); \
	{ \
	    printf '%s\n' "$$src" '$(CURDIR)' '$(NGX_FLAGS)' '$(CC_OPT)' \
	        '$(LD_OPT)' '$(CC_CORE)' '$(CC_OURS)'; \
	    cat $$src/src/core/nginx.h; \
	    cat $$src/conf_flags 2> /dev/null; \
	} > $@.new; \
	if cmp -s $@.new $@; then \
	    rm $@.new; \
	else \
	    mv $@.new $(OBJ).new; rm -rf $(OBJ); mkdir -p $(OBJ)/tree; \
	    ln -s $$src/* $(OBJ)/tree; rm -f $(OBJ)/tree/{Makefile,objs}; \
	    mv $(OBJ).new $@; \
	fi
