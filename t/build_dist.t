#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the source archive: it has one version, the same bytes whenever it
# is packed, and all that it needs to be packed again.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

use File::Temp qw/ tempdir /;

###############################################################################

my $root = $Test::Nginx::ROOT;

plan(skip_all => 'no GNU tar found')
	if `tar --version 2>/dev/null` !~ /GNU tar/;
plan(tests => 6);

my $dir = tempdir(CLEANUP => 1);
my $version = run("$root/auto/version");

like($version, qr/^\d+\.\d+\.\d+$/, 'version');

my ($changes) = project_text('CHANGES') =~ /^Changes with \S+ (\S+)/m;

is($changes, $version, 'version of CHANGES');

my ($spec) = project_text('packaging/rpm/*.spec') =~ /^Version: +(\S+)/m;

is($spec, $version, 'version of the RPM spec');

# again, by somebody else, later

my $name = "ngx_http_webhook_module-$version";
my $first = run("umask 022; $root/auto/dist $dir/1");

is($first, "$dir/1/$name.tar.gz", 'archive');

sleep(1);

ok(same($first, run("umask 077; TZ=Asia/Tokyo LC_ALL=C $root/auto/dist $dir/2")),
	'packed again');

run("tar -xzf $first -C $dir");

ok(same($first, run("$dir/$name/auto/dist $dir/3")), 'packed from an archive');

###############################################################################

sub run {
	my ($command) = @_;

	my $output = `$command`;
	die "\"$command\" failed: $?\n" if $?;

	chomp $output;
	return $output;
}

sub same {
	my ($file, $other) = @_;
	return system('cmp', $file, $other) == 0;
}

###############################################################################
