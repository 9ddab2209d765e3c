#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the source archive: it has one version, the same bytes whenever it
# is packed, and all that it needs to be packed again; and CHANGES is as nginx
# writes its own.

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
plan(tests => 8);

my $dir = tempdir(CLEANUP => 1);
my $version = run("$root/auto/version");

like($version, qr/^\d+\.\d+\.\d+$/, 'version');

my ($changes) = project_text('CHANGES') =~ /^Changes with \S+ (\S+)/m;

is($changes, $version, 'version of CHANGES');

my ($spec) = project_text('packaging/rpm/*.spec') =~ /^Version: +(\S+)/m;

is($spec, $version, 'version of the RPM spec');

is(join(' ', grep { project_text($_) =~ /(?<![\d.])\Q$version\E(?![\d.])/ }
	map { s!^\Q$root\E/!!r } grep { -f } map { glob("$root/$_") }
	qw! * .ci/* auto/* conf-examples/* contrib/*/* docs/*.md packaging/*/*
	src/* src/*/* t/*.t t/lib/Test/*.pm t/lib/Test/*/*.pm tools/*
	tools/lib/Webhook/Check/* !),
	'CHANGES packaging/rpm/nginx-mod-http-webhook.spec '
	. 'src/ngx_http_webhook.h', 'version, elsewhere');

is(join("\n", changes()), '', 'form of CHANGES');

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

# a heading, and what has changed, by kinds

sub changes {
	my @kinds = qw/ Security Change Feature Bugfix Workaround /;
	my ($kind, @wrong) = (0);

	my @entries = split /\n\n+/, project_text('CHANGES') =~ s/^\n//r;

	foreach my $entry (@entries) {
		if ($entry =~ /^Changes with ngx_http_webhook_module \d[\d.]*(.*)\z/
			and $1 =~ /^(?: +\d\d [A-Z][a-z][a-z] \d{4})?\z/)
		{
			$kind = 0;
			next;
		}

		$kind++ while $kind < @kinds and $entry !~ /^ {4}\*\) $kinds[$kind]: /;

		push @wrong, $entry
			unless $entry =~ /^ {4}\*\) \w+: .*(?:\n {7}\S.*)*\.\n?\z/
				and $kind < @kinds and $entry !~ /[^\n]{80}/;

		$kind = 0 if $kind == @kinds;
	}

	return @wrong;
}

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
