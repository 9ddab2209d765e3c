#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the protocol of Redis, alone: unit/resp.c is compiled with its
# reader and writer, and compares them with those of hiredis.
# TEST_NGINX_SEED repeats what is random.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx::Unit;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

plan(skip_all => 'no hiredis found') unless -e '/usr/include/hiredis/hiredis.h';

Test::Nginx::Unit->new('resp', '-lhiredis')->run(
	right => 'replies, in any pieces, as hiredis reads them',
	changed => 'bytes changed at random: nothing that hiredis does not read',
	wrong => 'what is no reply, and what is too long',
	linear => 'byte by byte',
	commands => 'commands, as hiredis writes them',
);

###############################################################################
