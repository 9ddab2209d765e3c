#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: its clock is moved past the ends of
# 32 bits, and set back.

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

my $unit = Test::Nginx::Unit->new('table_time');

$unit->run(
	wrap => 'times past 2038 and 2106',
	back => 'a clock set back',
);

###############################################################################
