#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for README.md: its table of built-in schemes says what the texts in the
# module say; other places name no scheme and no directive that does not exist.

###############################################################################

use warnings;
use strict;

use Test::More tests => 6;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Providers;

###############################################################################

my $root = $Test::Nginx::ROOT;

my $readme = slurp("$root/README.md");
my $table = `$^X $root/misc/providers-table`;

is($?, 0, 'table is made');

my @made = split /\n/, $table;
my @rows = grep { /^\| `[\w-]+` \|/ } @made;

is(join(' ', map { (split /`/)[1] } @rows), join(' ', providers()),
	'each scheme has a row, in order');

is(join(', ', grep { tr/|// != $made[0] =~ tr/|// } @made), '',
	'as many cells in each');

my ($shown) = $readme =~ /<!-- providers -->\n(.*?)<!-- \/providers -->\n/s;

is($shown, $table, 'the same in README.md (misc/providers-table --update)');

# directives of the module and of its documentation

my $code = slurp("$root/ngx_http_webhook_module.c");

my %known = map { $_ => 1 } $code =~ /ngx_string\("(webhook_\w+)"\)/g;
my %documented = map { $_ => 1 } $readme =~ /^### (webhook_\w+)$/mg;

is(join(' ', grep { !$documented{$_} } sort keys %known), '',
	'all directives are documented');
is(join(' ', grep { !$known{$_} } sort keys %documented), '',
	'all that are documented exist');

###############################################################################

sub slurp {
	my ($file) = @_;

	open my $fh, '<', $file or die "Can't open $file: $!\n";
	local $/;

	return scalar <$fh>;
}

###############################################################################
