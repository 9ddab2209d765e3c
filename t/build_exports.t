#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the module's file shows to others: modules are loaded with
# global symbols, so that a function of one could take the place of another's.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

###############################################################################

my $module = $Test::Nginx::MODULE;

plan(skip_all => 'module is linked in') if $module eq '';
plan(skip_all => 'no nm found') if system('nm --version >/dev/null 2>&1');
plan(tests => 2);

# name and type of what is defined

my %symbols = map { /^(\S+) (\w)/ ? ($1 => $2) : () } symbols('--defined-only');

is(join(' ', sort keys %symbols), 'ngx_module_names ngx_module_order ngx_modules',
	'exported');

# what is used of others is nginx's, or a library's

is(join(' ', grep { /webhook|^yajl_.*internal/ }
	map { /^(\S+)/ } symbols('--undefined-only')), '', 'imported');

###############################################################################

sub symbols {
	my ($option) = @_;

	open my $nm, '-|', 'nm', '-D', '-P', $option, $module
		or die "Can't run nm: $!\n";

	return <$nm>;
}

###############################################################################
