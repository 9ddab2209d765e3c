#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for requests that wait for an answer of the store, and meet there what
# waiting requests meet: senders that leave, error pages, reloads, shutdowns.

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

use Test::Nginx::HTTP2;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http http_v2 proxy/);
my $redis = Test::Nginx::Redis->new(8379);

$t->plan(50);

my $store = Test::Nginx::Store->new(8380, 8379);

# what is not answered in half a minute ends the connection

$t->write_file_expand('nginx.conf', fleet_conf(
	store => 'server 127.0.0.1:8380; timeout 30s;',
	locations => {
		'/ignore' => 'proxy_ignore_client_abort on;',
		'/page' => 'error_page 503 = /busy;',
		'/wait' => 'webhook_in_flight_wait 20s;',
		'/busy' => 'internal; webhook_verify off;',
		'/error' => 'error_page 503 500 /page-of-errors;'
			. ' proxy_intercept_errors on;',
		'/page-of-errors' => 'webhook_verify off;',
		'/file' => 'client_body_in_file_only clean;',
	},
	server => 'listen 127.0.0.1:8082 http2;',
));

my $u = upstream(8081);

$t->run();
up() or die "no store\n";

###############################################################################

# meanwhile others go on

my $c = late('others');

is(told(request(method => 'GET')), '200', 'others go on');
is($u->count(), 1, 'others go on - it waits');
$store->release();
is(told($c->response()), '200 PASSED MINE', 'others go on - and then it does');

# answered late, in the order of the answers

$u->reset();

my @c = map { late("order-$_", keep => 1) } 1 .. 5;
$store->release();
is(join(', ', map { told($_->response()) } @c),
	join(', ', ('200 PASSED MINE') x 5), 'several');
is($u->count(), 5, 'several - delivered');

# the connection goes on, with what was pipelined

$c = late('pipelined', keepalive => 1);
$c->send("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");
$store->release();
is(join(', ', map { told($c->response()) } 1 .. 2), '200 PASSED MINE, 200',
	'pipelined');

# bodies of any kind are still there

foreach my $case ([ 'file', uri => '/file' ], [ 'large' ],
	[ 'chunked', chunked => [ 3, 5 ] ])
{
	my ($name, %opts) = @$case;

	my $note = $name eq 'large' ? 'x' x 100000 : 'body';
	$c = late("body-$name", %opts, note => $note);
	$store->release();
	is(told($c->response()), '200 PASSED MINE', "body $name");
	is($u->last()->{body}, "{\"id\":\"body-$name\",\"note\":\"$note\"}",
		"body $name - as it was sent");
}

###############################################################################

# the sender leaves: nothing is delivered, and what was claimed is free again

foreach my $how (qw/ close abort half_close h2_reset h2_close ignore /) {
	$u->reset();
	$store->reset()->once(qr/ p:/, 'lost');

	if ($how =~ /^h2_(.*)/) {
		my $what = $1;
		my $body = "{\"id\":\"$how\"}";

		$c = h2_connect(8082);
		$c->send(join '', h2_headers(uri => '/hook', body => $body,
			headers => [ [ 'x-case', $how ],
				sign('nextpay', $Test::Nginx::Fleet::SECRET,
					$body) ]), h2_frames($body));
		$store->wait_for(qr/ p:/, 1);

		$what eq 'reset' ? $c->send(h2_frame(3, 0, 1, pack 'N', 8))
			: $c->close();

	} else {
		$c = event_request($how, send_only => 1,
			uri => $how eq 'ignore' ? '/ignore' : '/hook',
			headers => [ [ 'X-Case', $how ] ]);
		$store->wait_for(qr/ p:/, 1);

		$how eq 'ignore' ? $c->abort() : $c->$how();
	}

	SKIP: {
		skip 'nginx 1.18 waits for more in vain', 4
			if $how eq 'half_close' and !$t->has_version('1.19.0');

		like(($t->logged($how))[0] || '', qr/^499 "" ""/,
			"$how - gone, without a verdict");

		$store->release();

		ok($store->wait_for(qr/^EVAL/, 1), "$how - freed");
		is($u->count(), 0, "$how - not delivered");
		is(event($u, $how), '200 PASSED MINE 1', "$how - free");
	}
}

# it leaves, and the answer is another one's or none: nothing to free

$u->reset();
$store->reset();
$store->once(qr/ p:/, { hang => 1, reply =>
	"\$35\r\np:0123456789abcdef:0000000000000001\r\n" });

$c = event_request('left', send_only => 1, headers => [ [ 'X-Case', 'left' ] ]);
$store->wait_for(qr/ p:/, 1);
$c->abort();
$t->logged('left');
$store->release();
is(event($u, 'left'), '200 PASSED MINE 1', 'left - of another');
is($store->count(qr/^EVAL (?!.*probe)/s), 0, 'left - not freed');

###############################################################################

# refused, and answered by an error page

$store->reset()->once(qr/ p:/, { delay => 0.3, reply =>
	"\$35\r\np:0123456789abcdef:0000000000000001\r\n" });
like(event($u, 'page', uri => '/page'), qr/^200 IN_FLIGHT lease_held BUSY 1\b/,
	'error page - of a late refusal');

# failed, with an error page: free before it is answered

$store->reset();
$u->reset()->script(500);
$c = late('error', uri => '/error', keep => 1);
$store->release();
$c->response();
is($u->count(), 2, 'error page - asked after the event');
is(event($u, 'error'), '200 PASSED MINE 1', 'error page - the event is free');

# waiting for an event of another server, which becomes free while it is asked

my $key = key_of($store, $u, 'turn');
$redis->command('SET', $key, 'p:0123456789abcdef:0000000000000001', 'PX',
	100000);
$store->reset();
$u->reset();

@c = map { event_request('turn', uri => '/wait', send_only => 1) } 1 .. 5;
$store->wait_for(qr/ p:/, 2);
$redis->command('DEL', $key);

is(summary(map { $_->response() } @c), '1 x 200, 4 x 200 duplicate',
	'one of those that wait');
is($u->count(), 1, 'one of those that wait - delivers');

###############################################################################

# a reload: what waits is answered, and old workers go

$c = late('reload');
my @old = $t->workers();
$t->reload();
is(event($u, 'reload-new'), '200 PASSED MINE 1', 'reload - new workers');
$u->reset();
$store->release();
is(told($c->response()), '200 PASSED MINE', 'reload - answered');
$c->close();
ok(wait_until(sub { !grep { kill 0, $_ } @old }), 'reload - old workers go');

# an end: likewise

$c = late('end');
kill 'QUIT', $t->master();
$store->release();
is(told($c->response()), '200 PASSED MINE', 'end - answered');
$c->close();
$t->stop();
ok(!grep({ /open socket/ } $t->lines(qr/open socket/)),
	'end - no connection is left');

# one that does not wait for the store at its end

$t->run();
$store->reset();
is(event($u, 'quick end'), '200 PASSED MINE 1', 'quick end');

# what it has asked it waits for

wait_until(sub { grep { defined $_->{reply} } $store->commands(qr/ d:/) });

$store->stall(1);
my $time = time();
$t->stop();
cmp_ok(time() - $time, '<', 10, 'quick end - does not wait');
$store->reset();
$t->run();

###############################################################################

# an event whose claim is executed, and not answered until release()

sub late {
	my ($id, %opts) = @_;

	my $keep = delete $opts{keep};

	if (!$keep) {
		$u->reset();
		$store->reset();
	}

	my $n = $store->count(qr/^SET \S+[0-9a-f]{32} p:/);
	$store->once(qr/^SET \S+[0-9a-f]{32} p:/, 'lost');

	my $c = event_request($id, %opts, send_only => 1);
	$store->wait_for(qr/^SET \S+[0-9a-f]{32} p:/, $n + 1)
		or die "not asked\n";

	return $c;
}

sub up {
	return $t->wait_log(qr/\[notice\] .*fleet/);
}

###############################################################################
