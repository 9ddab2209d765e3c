#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: it is copied while it is used, kept
# in a file, and looked at as a killed process leaves it.

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

my $unit = Test::Nginx::Unit->new('table_copy');

$unit->run(
	copy => 'copies of other sizes',
	marks => 'an image kept by marks',
	busy => 'copies of a table in use',
	killed => 'a process killed anywhere',
);

###############################################################################
