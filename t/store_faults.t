#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for faults of a server with a store: each allocation fails while an
# event is claimed there, delivered, given back or forgotten, while a claim is
# kept, and while the store is connected to; and all descriptors are used up.
# Events are delivered once, and in the end the store has what was accepted.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Faults;
use Test::Nginx::Fleet;
use Test::Nginx::Monitor;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->allow(qr/\(12: Cannot allocate memory\)/,
		qr/\[(?:alert|crit)\] .*\(24: Too many open files\)/);
my $faults = Test::Nginx::Faults->new($t);
my $redis = Test::Nginx::Redis->new(8379);
my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file_expand('nginx.conf', fleet_conf(
	main => 'worker_rlimit_nofile  64;',
	store => 'server 127.0.0.1:8380; timeout 2s;',
	dedup => 'lease=1s',
	http => 'request_pool_size 112; connection_pool_size 112;'
		. ' keepalive_timeout 5m; client_header_timeout 5m;'
		. ' server { listen 127.0.0.1:8088; server_name localhost;'
		. ' location = /webhooks { webhook_monitor write=on; } }',
	locations => {
		'/reject' => 'webhook_dedup zone=events key=events ttl=1h'
			. ' lease=1s on_error=reject;',
	},
));

my $u = upstream(8081);

$t->plan(26)->run();

my ($worker) = $t->workers();
my ($id, %accepted) = (0);

###############################################################################

# an event: claimed and accepted, not accepted, forged

ok(up(), 'up');

foreach my $uri ('/hook', '/reject') {
	is($faults->each(MEMORY, when_up(genuine($u, sub {
		made($uri, ++$id) }))), '', "$uri, accepted");
}

is($faults->each(MEMORY, when_up(forged($u, sub {
	my %event = made('/hook', 'forged');
	(%event, body => flip($event{body}))
}))), '', 'forged');

is($faults->each(MEMORY, when_up(given_back())), '', 'given back');

# accepted or claimed elsewhere

foreach my $case ([ 'accepted', 'd:' . (time() + 1000) . ':0', 'duplicate' ],
	[ 'in flight', 'p:0123456789abcdef:0000000000000001' ])
{
	my ($name, $value, $word) = @$case;
	my $right = $word ? "200 $word" : '503';

	is($faults->each(MEMORY, when_up(sub {
		my ($fault) = @_;

		my %event = made('/reject', 'elsewhere-' . ++$id);
		my $key = event_key('elsewhere-' . $id);

		$redis->command('SET', $key, $value, 'PX', 100000);
		$u->reset();

		my ($got, $failed)
			= $fault->(sub { outcome(request(%event)) });

		my $there = $redis->command('GET', $key);
		$redis->command('DEL', $key);

		return "answered $got" if $got ne $right
			and !($failed and $got =~ /^(?:5\d\d|closed)/);

		return 'proxied' if $u->connections();

		return $there ne $value ? "has become $there" : undef;
	})), '', "$name elsewhere");
}

# looked up, and forgotten

is($faults->each(MEMORY, when_up(sub {
	my ($fault) = @_;

	my $name = 'forget-' . ++$id;

	return 'not delivered'
		if outcome(request(made('/hook', $name))) ne '200';
	return 'not stored' unless stored($name);

	my ($got, $failed) = $fault->(sub { outcome(forget($name)) });

	return "answered $got" if $got !~ ($failed
		? qr/^(?:200|5\d\d|closed)$/ : qr/^200$/);

	my $again = outcome(request(made('/hook', $name)));

	return "forgotten, then $again" if $got eq '200' and $again ne '200';

	return stored($name) ? undef : 'not stored again';
})), '', 'forgotten');

###############################################################################

# a claim that is kept while the upstream thinks

my @kept;

foreach my $n (1 .. 3) {
	my $name = 'kept-' . ++$id;
	my $keeps = $store->count(qr/^EVAL .*PX/s);

	$u->reset()->on(qr!^/hook!, 'hang');
	up();

	my $client = request(made('/hook', $name), send_only => 1);

	wait_until(sub { $u->count() });
	stored($name, qr/^p:/);

	$faults->arm(MEMORY, $n);
	my $renewed = $store->wait_for(qr/^EVAL .*PX/s, $keeps + 2);
	$faults->disarm();

	$u->on(qr!^/hook!);
	$u->release();

	my $r = $client->response();

	push @kept, join ' ', $renewed ? () : 'not renewed', outcome($r),
		$u->count(), outcome(request(made('/hook', $name)));
	$accepted{event_key($name)} = $name;
}

is(join(', ', @kept), join(', ', ('200 1 200 duplicate') x 3), 'kept');

###############################################################################

# connecting to the store, until that fails no more

my ($n, $failed, @wrong) = (0);

do {
	up() or push @wrong, "$n: not up";

	my $from = $t->log_pos();

	$faults->arm(MEMORY, ++$n);
	$store->cut();

	# what fails is tried again

	$t->wait_log(qr/\[notice\] .*fleet.* is up/, from => $from,
		timeout => 20) or push @wrong, "$n: not up again";

	$failed = $faults->disarm();

	my $got = outcome(request(made('/hook', ++$id)));

	push @wrong, "$n: answered $got" if $got ne '200';

} while ($failed and $n < 60);

is(join("\n", @wrong), '', 'connected again');
cmp_ok($n, '>', 1, 'whatever fails');

###############################################################################

# All descriptors are used up when the store is lost: what asks it has its
# answer at once, and it is connected to as soon as there is one.

my @clients = map { client(port => 8080) } 1 .. 2;

is(outcome(request(made('/reject', ++$id), client => $_)), '200',
	'a connection that is there') foreach @clients;

my $from = $t->log_pos();
my @idle = map { client(port => 8080) } 1 .. 100;

ok($t->wait_log(qr/accept4?\(\) failed \(24:/, from => $from), 'used up');

$store->refuse();
$from = $t->log_pos();
$store->cut();

ok($t->wait_log(qr/\[error\] .*fleet.* is down/, from => $from),
	'the store is lost');

# the descriptor of its connection is taken by a client that waits

ok($t->wait_log(qr/accept4?\(\) failed \(24:/, from => $from), 'all used up');

$store->listen();
$from = $t->log_pos();

ok($t->wait_log(qr/socket\(\) failed \(24:/, from => $from, timeout => 20),
	'the store is not connected to');

my %event = made('/reject', ++$id);

$u->reset();
is(told(request(%event, client => $clients[0])),
	'503 UNAVAILABLE store_unavailable DOWN', 'refused');
is(told(request(%event, body => flip($event{body}), client => $clients[1])),
	'401 REJECTED signature_mismatch', 'forged');
is($u->connections(), 0, 'not proxied');

$from = $t->log_pos();
$_->close() foreach @idle;

ok($t->wait_log(qr/\[notice\] .*fleet.* is up/, from => $from, timeout => 20),
	'connected again');
is(join(', ', map { outcome(request(%event)) } 1, 2), '200, 200 duplicate',
	'delivered then');

###############################################################################

# at rest the store has what was accepted, and nothing else

ok(wait_until(sub { metric('store_owed', zone => 'events') == 0 }),
	'nothing is owed');
ok(wait_until(sub { !grep { !/^d:/ } values %{{ left() }} }),
	'no claim is left');

my %left = left();

is(join(' ', grep { !$left{$_} } keys %accepted), '',
	'what was accepted is there');

is(join(' ', $t->workers()), $worker, 'the same worker');

###############################################################################

sub made {
	my ($uri, $id) = @_;

	my $body = "{\"id\":\"$id\"}";

	return (uri => $uri, body => $body,
		headers => [ sign('nextpay', $SECRET, $body) ]);
}

sub up {
	return wait_until(sub { (metric('store_up', store => 'fleet') || 0) == 1 });
}

sub when_up {
	my ($code) = @_;

	return sub { up() ? $code->(@_) : 'the store is down' };
}

# the upstream fails, and then it does not

sub given_back {
	return sub {
		my ($fault) = @_;

		my $name = 'back-' . ++$id;

		$u->reset()->script(500);

		my ($got, $failed) = $fault->(sub {
			outcome(request(made('/hook', $name)))
		});

		return "answered $got" if $got !~ ($failed
			? qr/^(?:5\d\d|closed)$/ : qr/^500$/);

		$u->reset();

		my $then = join ', ', map { outcome(request(made('/hook',
			$name))) } 1, 2;

		$accepted{event_key($name)} = $name;

		return "answered $got, then $then"
			if $then ne '200, 200 duplicate' or $u->count() != 1;

		return;
	};
}

sub forget {
	my ($id) = @_;

	return request(port => 8088, method => 'DELETE', uri => '/webhooks'
		. '?zone=events&id=' . event_key($id) =~ s/.*://r,
		headers => [ [ 'Webhook-Forget', 'events' ] ]);
}

# the key of the event, once it is there

sub stored {
	my ($id, $re) = @_;

	$re ||= qr/^d:/;
	$accepted{event_key($id)} = $id;

	return wait_until(sub {
		($redis->command('GET', event_key($id)) || '') =~ $re
	});
}

sub left {
	return map { $_ => $redis->command('GET', $_) || 'd:' }
		@{$redis->command('KEYS', '*')};
}

###############################################################################
