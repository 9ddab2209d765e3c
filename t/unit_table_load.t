#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: how much it holds, whatever the ids,
# and how full it says that it is.

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

my $unit = Test::Nginx::Unit->new('table_load');

$unit->run(
	load => '40000 live ids in a megabyte',
	adversary => 'ids that were chosen spread too',
	sample => 'how full it is',
);

if ($ENV{TEST_NGINX_VERBOSE}) {
	diag($_) foreach grep { /^#/ } split /\n/, $unit->output('curve');
}

###############################################################################
