#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the error log is told of a store: one line when it goes down,
# one when it is up, and why a server that is there will not do.

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

$t->plan(21);

my $store = Test::Nginx::Store->new(8380, 8379);
my $port = $store->port();
my $info = $redis->command('INFO', 'server', 'replication', 'memory');

my $replica = $info =~ s/role:master/role:slave/r;
$replica = '$' . length($replica) . "\r\n$replica\r\n";

$t->write_file_expand('nginx.conf', fleet_conf());

my $u = upstream(8081);

my $from = $t->log_pos();

###############################################################################

# it is not there

$store->refuse();
$t->run();

line(qr/^webhook store "fleet" is down: server 127\.0\.0\.1:$port could not be connected to \(111: [\w ]+\)$/,
	'refused');

# it comes, and is a replica: all tries that follow say the same

$store->on(qr/^INFO/, { reply => $replica });
$store->listen();

line(qr/is down: server 127\.0\.0\.1:$port is no primary$/, 'a replica');

ok($store->wait_for(qr/^INFO/, 3), 'a replica - tried again');
quiet('a replica');

# another reason is told

$store->on(qr/^INFO/, { reply => "-LOADING the dataset\r\n" });
line(qr/replied "LOADING the dataset" to INFO$/, 'another reason');
ok($store->wait_for(qr/^INFO/, $store->count(qr/^INFO/) + 2),
	'another reason - tried again');
quiet('another reason');

# it is gone again, and back with the same: nothing new

my $pos = $t->log_pos();

$store->refuse()->cut();
ok($t->wait_log(qr/\[info\].*is down.*\(111:/, from => $pos), 'gone again');

$pos = $t->log_pos();

$store->listen();
ok($t->wait_log(qr/\[info\].*is down.*LOADING/, from => $pos), 'back again');
quiet('back again');

# it is up, and one line says so

$store->reset();
ok($t->wait_log(qr/\[notice\] .*webhook store "fleet" is up: server 127\.0\.0\.1:$port$/,
	from => $from), 'up');
is(event($u, 'a'), '200 PASSED MINE 1', 'up - asked');
quiet('up');

# and down once more, for the same reason as before, which is told again

$store->reset()->on(qr/^INFO/, { reply => $replica });
$store->once(qr/ p:/, { reply => "-READONLY replica\r\n" });
event($u, 'b');

line(qr/replied "READONLY replica" to SET$/, 'refuses what was asked');
line(qr/is no primary$/, 'and why it will not do');
quiet('down once more');

###############################################################################

# the next line about what is down

sub line {
	my ($re, $name) = @_;

	ok($t->wait_log(qr/\[error\].*fleet.*is down/, from => $from),
		"$name - told");

	my ($line) = errors();

	$from = $t->log_pos() if errors() == 1;
	like($line, $re, $name);
}

sub quiet {
	my ($name) = @_;
	is(join("\n", errors()), '', "$name - once");
}

sub errors {
	return map { s/.*?\[error\] [\d#]+: //sr =~ s/\n//r }
		$t->lines(qr/\[error\](?!.*client).*fleet/, from => $from);
}

###############################################################################
