#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what is no outcome of a claim: what an upstream said before it was
# made, what a cache says, half a head of an answer; and for what is one, an
# upstream that accepts the event and points elsewhere.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite map cache/)->plan(45);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;
    webhook_secret      $secret;

    webhook_in_flight_wait  0;

    proxy_cache_path  %%TESTDIR%%/cache  keys_zone=cache:1m;

    webhook_scheme  other  from=nextpay { }

    # 8081 is the application, 8082 is asked before it or points to something,
    # nobody listens on 8083

    map \$http_x_tenant \$backend {
        default  "";
        good     http://127.0.0.1:8081;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        # a router, which never sees the body, chooses the location

        location /router {
            proxy_pass_request_body  off;
            proxy_set_header         Content-Length "";
            proxy_pass               http://127.0.0.1:8082;
        }

        location \@tenant {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=router;
            proxy_pass      \$backend;
        }

        location \@file {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=router;
            root            %%TESTDIR%%;
            try_files       /missing =404;
        }

        location \@accepting {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=router;
            proxy_pass      http://127.0.0.1:8081;
        }

        # something has failed before

        location /failed {
            error_page  502 = \@local;
            proxy_pass  http://127.0.0.1:8083;
        }

        location \@local {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=failed;
            root            %%TESTDIR%%;
            try_files       /ok =404;
        }

        # the event is delivered when all is over

        location /post {
            proxy_pass   http://127.0.0.1:8082;
            post_action  \@post;
        }

        location \@post {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=post;
            proxy_pass      \$backend;
        }

        location /post/direct {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=post;
            proxy_pass      \$backend;
        }

        # the application accepts, and points to what is down

        location /points {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=points;
            proxy_pass      http://127.0.0.1:8082;
        }

        location \@down {
            proxy_pass  http://127.0.0.1:8083;
        }

        location \@verified {
            webhook_verify  other;
            webhook_dedup   zone=events key=elsewhere;
            proxy_pass      http://127.0.0.1:8083;
        }

        # a cache answers

        location /cached {
            webhook_verify       nextpay;
            webhook_dedup        zone=events key=cached;
            proxy_cache          cache;
            proxy_cache_methods  POST;
            proxy_cache_valid    200 1h;
            proxy_cache_key      \$uri;
            proxy_pass           http://127.0.0.1:8081;
        }

        location /cached/stale {
            webhook_verify         nextpay;
            webhook_dedup          zone=events key=cached;
            proxy_cache            cache;
            proxy_cache_methods    POST;
            proxy_cache_valid      200 1s;
            proxy_cache_key        \$uri;
            proxy_cache_use_stale  http_500;
            proxy_pass             http://127.0.0.1:8081;
        }

        # an answer in parts

        location /head {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=head;
            proxy_pass      http://127.0.0.1:8084;
        }

        # the other body of a known event

        location /redirect/pass {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=redirect on_mismatch=pass;
            try_files       /missing /other;
        }

        location /redirect/reject {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=redirect on_mismatch=reject;
            try_files       /missing /other;
        }

        location /other {
            webhook_verify  other;
            webhook_dedup   zone=events key=other on_mismatch=pass;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

$t->write_file('ok', 'here');

my $u = upstream(8081);
my $v = upstream(8082);
my $parts = upstream(8084);

$t->run();

my $n = 0;
my ($body, $from);

###############################################################################

# Before the claim an upstream has said 200, and behind it nobody is asked.

foreach my $location ('@tenant', '@file') {
	fresh();
	$v->answer(points($location));

	my $status = $location eq '@tenant' ? 500 : 404;

	is(join(', ', map { hook('/router') } 1 .. 2), "$status, $status",
		"$location - freed");
	is($u->count(), 0, "$location - not delivered");

	$v->answer(points('@accepting'));

	is(join(', ', map { hook('/router') } 1 .. 2), '200, 200 duplicate',
		"$location - delivered later");
	is($u->count(), 1, "$location - once");
}

fresh();
$v->answer(points('@tenant'));

is(join(', ', map { hook('/router', tenant => 'good') } 1 .. 2),
	'200, 200 duplicate', 'tenant accepts - done');
is($u->last()->{body}, $body, 'tenant accepts - body');

fresh();
$v->answer(points('@tenant'));
$u->script(500);

is(join(', ', map { hook('/router', tenant => 'good') } 1 .. 3),
	'500, 200, 200 duplicate', 'tenant refuses - freed');
is($u->count(), 2, 'tenant refuses - delivered again');

# the other way round: what has failed before is not about this event

fresh();

is(join(', ', map { hook('/failed', method => 'GET') } 1 .. 2),
	'200, 200 duplicate', 'upstream failed before - done');

# in post_action nothing of the first location's answer counts

fresh();

is(hook('/post'), '200', 'post_action - answered');
ok($t->wait_log(qr/invalid URL prefix.*POST \/post HTTP/, from => $from),
	'post_action - failed');
is(join(', ', map { hook('/post/direct', tenant => 'good') } 1 .. 2),
	'200, 200 duplicate', 'post_action - freed');
is($u->count(), 1, 'post_action - delivered later');

###############################################################################

# What points elsewhere has accepted the event, or has not.

foreach my $location ('@down', '@verified') {
	fresh();
	$v->script(points($location));

	is(join(', ', map { hook('/points') } 1 .. 2), '502, 200 duplicate',
		"accepted, $location - done");
	is($v->count(), 1, "accepted, $location - once");

	fresh();
	$v->script(points($location, 500));

	is(join(', ', map { hook('/points') } 1 .. 3),
		'502, 200, 200 duplicate', "refused, $location - freed");
	is($v->count(), 2, "refused, $location - delivered again");
}

###############################################################################

# What a cache says was said to another event.

fresh();

is(join(', ', map { hook('/cached') } 1 .. 2), '200, 200 duplicate',
	'cache is filled - done');

fresh();

is(join(', ', map { hook('/cached') } 1 .. 2), '200, 200',
	'cache answers - not done');
is($u->count(), 0, 'cache answers - not delivered');

# once the second is over for which an answer is fresh

for (1 .. 100) {
	fresh();
	hook('/cached/stale');
	last if $u->count() and $_ > 1;
	select undef, undef, undef, 0.1;
}

is($u->count(), 1, 'cache was stale');

for (1 .. 100) {
	fresh();
	$u->answer(500);
	hook('/cached/stale');
	last if $u->count();
	select undef, undef, undef, 0.1;
}

is(hook('/cached/stale') . ' ' . $u->count(), '200 2',
	'stale answer - not done');

###############################################################################

# Half a head is no answer, also if the sender is gone meanwhile.

my $head = length("HTTP/1.1 200 OK\r\n");

foreach my $cut ($head, $head + 10) {
	fresh();
	$parts->script({ type => 'headers_then_hang', cut => $cut });

	my $c = deliver('nextpay', $secret, $body, uri => '/head',
		send_only => 1);

	ok($t->wait_log(qr/http proxy status 200/, from => $from),
		"$cut bytes - status");

	$c->close();
	$parts->wait_gone(1);

	is(join(', ', map { hook('/head') } 1 .. 2), '200, 200 duplicate',
		"$cut bytes - freed");
	is($parts->count(), 2, "$cut bytes - delivered again");
}

# a whole head is one

fresh();
$parts->script('headers_then_close');

hook('/head');

is(hook('/head') . ' ' . $parts->count(), '200 duplicate 1',
	'whole head - done');

###############################################################################

# The body that an event was accepted with belongs to its claim.

foreach my $case ([ 'pass', '200', 2 ], [ 'reject', '422', 1 ]) {
	my ($action, $status, $count) = @$case;

	fresh();

	is(hook("/redirect/$action"), '200', "$action - accepted");
	is(hook("/redirect/$action"), '200 duplicate', "$action - done");

	$body =~ s/}/,"x":1}/;

	is(hook("/redirect/$action"), $status, "$action - another body");
	is($u->count(), $count, "$action - deliveries");
}

###############################################################################

# a new event, and nothing but 200 from all

sub fresh {
	$body = sprintf '{"id":"e%d"}', ++$n;

	$_->reset() foreach $u, $v, $parts;
	$_->answer(200) foreach $u, $v, $parts;

	$from = $t->log_pos();
}

sub points {
	my ($location, $status) = @_;

	return { status => $status || 200,
		headers => [ [ 'X-Accel-Redirect', $location ] ] };
}

sub hook {
	my ($uri, %opts) = @_;

	return answered(deliver('nextpay', $secret, $body, timeout => 10, %opts,
		uri => $uri,
		headers => [ [ 'X-Tenant', $opts{tenant} || 'none' ] ]));
}

###############################################################################
