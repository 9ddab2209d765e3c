#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: what is owed to a store, what it
# was told, and what was forgotten.

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

my $unit = Test::Nginx::Unit->new('table_owed');

$unit->run(
	owed => 'done, and owed to others',
	told => 'owed until it is acknowledged, learned',
	forget => 'forgotten on request',
	put_back => 'forgotten, and put back',
);

###############################################################################
