#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the JSON parser, alone: unit/json.c is compiled with it, gives it
# documents that yajl needs most memory for, and compares what it takes for
# UTF-8 with a decoder.  TEST_NGINX_SEED repeats what is random.

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

Test::Nginx::Unit->new('json', '-lyajl')->run(
	memory => 'yajl asks for no more memory than it has',
	utf8 => 'UTF-8',
);

###############################################################################
