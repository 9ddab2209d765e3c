#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for faults of a server while it connects to a store with SSL: an
# allocation fails, it is connected to again, and nothing is left behind.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Faults;
use Test::Nginx::Fleet;
use Test::Nginx::Redis;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http http_ssl proxy/)
	->allow(qr/\(12: Cannot allocate memory\)/,
		qr/malloc failure|SSL_\w+\(\) failed/);
my $faults = Test::Nginx::Faults->new($t);
my $d = $t->testdir();

system('openssl req -x509 -nodes -days 2 -newkey ec'
	. ' -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=store'
	. ' -addext subjectAltName=DNS:store.example.com'
	. " -keyout $d/store.key -out $d/store.crt >$d/openssl.out 2>&1") == 0
	or die "Can't create a certificate\n";

my $redis = Test::Nginx::Redis->new(8379,
	'tls-port' => Test::Nginx::port(8383),
	'tls-cert-file' => "$d/store.crt",
	'tls-key-file' => "$d/store.key",
	'tls-ca-cert-file' => "$d/store.crt",
	'tls-auth-clients' => 'no',
);

$t->write_file_expand('nginx.conf', fleet_conf(store =>
	'server 127.0.0.1:8383; ssl on; ssl_name store.example.com;'
	. ' ssl_trusted_certificate %%TESTDIR%%/store.crt;'));

my $u = upstream(8081);

$t->plan(4)->run();

my ($worker) = $t->workers();

###############################################################################

# The first ones are nginx's and ours.  Those that follow are of OpenSSL, within
# a handshake that fails, whichever it is: some of them.

up(0) or die "no store\n";

my ($n, $id, $failed, @wrong, @live) = (0, 0);

do {
	my $from = $t->log_pos();

	$n += 1 + int($n / 5);

	$faults->arm(MEMORY, $n);
	$redis->command('CLIENT', 'KILL', 'TYPE', 'normal');

	up($from) or push @wrong, "$n: not up again";

	$failed = $faults->disarm();

	my $got = event($u, 'event-' . ++$id);

	push @wrong, "$n: $got" if $got ne '200 PASSED MINE 1';

	push @live, $faults->live();

} while ($failed and $n < 20000 and @wrong < 10);

is(join("\n", @wrong), '', 'connected again');
cmp_ok($n, '>', 100, 'whatever fails');

# what OpenSSL keeps is kept once

cmp_ok($live[-1] - $live[@live / 2], '<', @live / 2, 'nothing is left behind')
	or diag("@live");

is(join(' ', $t->workers()), $worker, 'the same worker');

###############################################################################

sub up {
	my ($from) = @_;

	return $t->wait_log(qr/\[notice\] .*fleet.* is up/, from => $from,
		timeout => 20);
}

###############################################################################
