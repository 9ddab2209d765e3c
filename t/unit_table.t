#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: unit/table.c is compiled with it
# and compares a random history with a model.  TEST_NGINX_SEED repeats a
# history.

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

my $unit = Test::Nginx::Unit->new('table');

$unit->run(
	model => 'a million random operations and a model',
	small => 'the same, too small for all ids',
	owners => 'owners start over',
	claims => 'nothing but claims',
	twice => 'an entry that a killed process has left twice',
	late => 'accepted when the claim is another one\'s',
	layout => 'sizes and offsets',
);

###############################################################################
