#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the documentation tells a reader to do: the configuration of
# the quick start in README.md does what is promised there; the commands of
# docs/troubleshooting.md sign an event that passes, and its way to have an
# event delivered again is one.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

plan(skip_all => 'no curl found') if system('curl --version >/dev/null 2>&1');

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(15);

my $dir = $t->testdir();

my %secrets = (
	yoco => 'whsec_' . encode_base64('the key of the quick start', ''),
	nextpay => 'secret-of-nextpay-0123456789',
);

mkdir "$dir/secrets", 0700;

foreach my $name (keys %secrets) {
	$t->write_file("secrets/$name", "$secrets{$name}\n");
	chmod 0600, "$dir/secrets/$name";
}

# as they are in README.md, but for what a test must change; and the location of
# the other commands

my %files = project_text('README.md')
	=~ /^<!-- file: (\S+) -->\n((?:    .*\n|\n(?=    ))+)/mg;

s/^    //mg foreach values %files;

my $conf = "http {\n%%TEST_GLOBALS_HTTP%%\n" . join('', map { $files{$_} }
	'/etc/nginx/conf.d/webhooks.conf', '/etc/nginx/sites-available/webhooks')
	. "}\n";

$conf =~ s!/var/log/nginx/!$dir/!g;
$conf =~ s/listen {7}80;/listen 127.0.0.1:8080;/ or die "no listen\n";

my ($location) = $conf =~ /^( {4}location.*?^ {4}\}\n)/sm;

(my $other = $location) =~ s/yoco/nextpay/g;
$conf =~ s/\Q$location\E/$location$other/;

configure($conf);

my $u = upstream(8081);

$t->run();

###############################################################################

my @commands = project_text('docs/troubleshooting.md')
	=~ /^<!-- by-hand: (\w+) -->\n((?:    .*\n)+)/mg;

is(@commands, 4, 'commands are found');

my %commands = @commands;

foreach my $name (sort keys %commands) {
	my $command = $commands{$name};
	my $n = $u->count();

	like(by_hand($command), qr/^HTTP\S+ 200 /, "$name - passes");
	is($u->count() - $n, 1, "$name - and reaches the application");

	like(by_hand($command), qr/^HTTP\S+ 200 .*^Webhook-Duplicate: 1/ms,
		"$name - repeated");

	$command =~ s/--data-binary "\$body/$&./;

	like(by_hand($command), qr/^HTTP\S+ 401 /, "$name - changed by a byte");
	is($u->count() - $n, 1, "$name - neither reaches the application");
}

# resending by hand

(my $off = $conf) =~ s/webhook_dedup  .*;/webhook_dedup   off;/g;

configure($off);
$t->reload();

my $n = $u->count();

like(by_hand($commands{nextpay}), qr/^HTTP\S+ 200 /, 'not deduplicated');
is($u->count() - $n, 1, 'delivered again');

configure($conf);
$t->reload();

like(by_hand($commands{nextpay}), qr/^Webhook-Duplicate: 1/m,
	'known as before');
is($u->count() - $n, 1, 'and not delivered');

###############################################################################

sub configure {
	my ($http) = @_;

	$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

$http

EOF_
}

sub by_hand {
	my ($command) = @_;

	my $port = port(8080);

	$command =~ s/sudo //g;
	$command =~ s!/etc/nginx/!$dir/!g;
	$command =~ s!http://127\.0\.0\.1/!http://127.0.0.1:$port/!g;
	$command =~ s/curl -i/curl -s -i/;

	$t->write_file('by-hand.sh', $command);

	return scalar `sh $dir/by-hand.sh 2>&1`;
}

###############################################################################
