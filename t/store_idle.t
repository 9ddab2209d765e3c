#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a store that nothing is asked of: it is seen all the same that it
# has gone, without an event that has to find it out.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Fleet;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(11);

# they idle side by side, as that takes ten seconds

my %ports = (fleet => 8380, silent => 8382, wrong => 8384, gone => 8386);
my %stores = map { $_ => Test::Nginx::Store->new($ports{$_}, 8379) }
	keys %ports;

$t->write_file_expand('nginx.conf', fleet_conf(http => join '', map { <<"EOF_" }
    webhook_dedup_zone  zone=$_:32k store=$_;

    webhook_store  $_ {
        server  127.0.0.1:$ports{$_};
    }

EOF_
	qw/ silent wrong gone /));

my $u = upstream(8081);
my $from = $t->log_pos();

$t->run();
$t->wait_log(qr/\[notice\] .*webhook store.* is up/, count => 4)
	or die "no stores\n";

###############################################################################

$_->reset() foreach values %stores;

my $ping = qr/^PING$/;

$stores{silent}->once($ping, 'hang');
$stores{wrong}->once($ping, { reply => "+OK\r\n" });
$stores{gone}->once($ping, 'close');

foreach my $name (sort keys %stores) {
	ok($stores{$name}->wait_for($ping, 1, timeout => 20), "$name - asked");
}

foreach my $case ([ 'silent', qr/did not answer in time/ ],
	[ 'wrong', qr/sent a reply of another kind to PING/ ],
	[ 'gone', qr/closed the connection/ ])
{
	my ($name, $why) = @$case;

	like(($t->wait_log(qr/\[error\].*"$name" is down/, from => $from))[0],
		$why, "$name - down");
	ok($t->wait_log(qr/\[notice\].*"$name" is up/, from => $from,
		count => 2), "$name - up again");
}

# the one that has answered is as it was

is($stores{fleet}->connections() . ' ' . event($u, 'a'),
	'0 200 PASSED MINE 1', 'fleet - stays');

###############################################################################
