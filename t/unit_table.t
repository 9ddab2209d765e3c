#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: unit/table.c is compiled with it
# and compares a random history with a model, fills it, moves its clock past
# the ends of 32 bits, copies it while it is used, and looks at it as a killed
# process leaves it.  TEST_NGINX_SEED repeats a history.

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
	claims => 'nothing but claims',
	owners => 'owners start over',
	load => '40000 live ids in a megabyte',
	wrap => 'times past 2038 and 2106',
	copy => 'copies of other sizes',
	marks => 'an image kept by marks',
	adversary => 'ids that were chosen spread too',
	busy => 'copies of a table in use',
	killed => 'a process killed anywhere',
	back => 'a clock set back',
	late => 'accepted when the claim is another one\'s',
	owed => 'done, and owed to others',
	sample => 'how full it is',
	forget => 'forgotten on request',
	told => 'owed until it is acknowledged, learned',
	put_back => 'forgotten, and put back',
	layout => 'sizes and offsets',
);

if ($ENV{TEST_NGINX_VERBOSE}) {
	diag($_) foreach grep { /^#/ } split /\n/, $unit->output('curve');
}

###############################################################################
