#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for deduplication: an event that the upstream has accepted is not
# delivered again while its id is remembered, an event that it has not
# accepted is, and what cannot be told apart is delivered each time.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use IO::Select;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $start = 1764000000;

my %secret = (
	(map { $_ => "secret-of-$_-0123456789" } qw/ bamotf bitnob
		bitnob-timestamped nextpay stripe github slack shopify /),
	(map { $_ => 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3' }
		qw/ yoco standard-webhooks /),
);

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite/)->has_faketime()
	->plan(177);

my $schemes = join "\n", map { <<"EOF" } sort keys %secret;
        location /$_ {
            webhook_verify  $_;
            webhook_secret  $secret{$_};
            webhook_dedup   zone=events;
            proxy_pass      http://\$app;
        }
EOF

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict
        '"\$http_x_case" \$status "\$webhook_status" "\$webhook_reason"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone  zone=events:1m;
    webhook_dedup_zone  zone=others:1m;

    webhook_in_flight_wait  0;

    webhook_scheme pair from=nextpay {
        event_id  json:/a json:/b;
    }

    webhook_scheme headed from=nextpay {
        signed    \$http_x_id.\$request_body;
        event_id  \$http_x_id;
    }

    webhook_scheme shown from=nextpay {
        dedup_key  body;
    }

    map \$http_x_dead \$app {
        default  127.0.0.1:8081;
        1        127.0.0.1:8082;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

$schemes

        webhook_verify  nextpay;
        webhook_secret  $secret{nextpay};

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /outcome {
            webhook_dedup  zone=events key=outcome;
            proxy_pass     http://\$app;
        }

        location /outcome/slow {
            webhook_dedup  zone=events key=outcome;
            proxy_pass     http://127.0.0.1:8081;

            proxy_read_timeout  200ms;
        }

        location /outcome/learned {
            webhook_dedup  zone=events key=outcome;
            proxy_pass     http://127.0.0.1:8081;

            proxy_ignore_client_abort  on;
        }

        location /plain {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /small {
            webhook_dedup          zone=events;
            webhook_json_max_size  1k;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /pair {
            webhook_verify  pair;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /headed {
            webhook_verify  headed;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /shown {
            webhook_verify  shown;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /ns/default {
            webhook_dedup  zone=events;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /ns/zone {
            webhook_dedup  zone=others;
            proxy_pass     http://127.0.0.1:8081;
        }

        location ~ ^/ns/regex/ {
            webhook_dedup  zone=events;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /ns/shared1 {
            webhook_dedup  zone=events key=shared;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /ns/shared2 {
            webhook_dedup  zone=events key=shared;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /ns/scheme {
            webhook_verify  shown;
            webhook_dedup   zone=events key=shared;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /ns/tenant {
            webhook_dedup  zone=events key=\$arg_tenant;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /ns/parent {
            webhook_dedup  zone=events key=parent;
            proxy_pass     http://127.0.0.1:8081;

            location /ns/parent/child {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /ns/parent/off {
                webhook_dedup  off;
                proxy_pass     http://127.0.0.1:8081;
            }
        }

        location /ttl {
            webhook_dedup  zone=events ttl=60s;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /lease {
            webhook_dedup  zone=events lease=3s;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /timer {
            webhook_verify      off;
            proxy_read_timeout  1500ms;
            proxy_pass          http://127.0.0.1:8081;
        }

        location /window {
            webhook_verify  standard-webhooks;
            webhook_secret  $secret{'standard-webhooks'};
            webhook_dedup   zone=events ttl=1m;
            proxy_pass      http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  other;

        location /ns/default {
            webhook_verify  nextpay;
            webhook_secret  $secret{nextpay};
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

# a first delivery, its repetition as the provider makes it, another event

my %events = (
	'nextpay' => [
		[ '{"id":"e1","type":"a"}' ],
		[ '{"id":"e1","type":"a"}' ],
		[ '{"id":"e2","type":"a"}' ],
	],
	'stripe' => [
		[ '{"id":"e1"}', ts => $start - 20 ],
		[ '{"id":"e1"}', ts => $start ],
		[ '{"id":"e2"}', ts => $start - 20 ],
	],
	'standard-webhooks' => [
		[ '{"type":"a"}', id => 'msg_1', ts => $start - 20 ],
		[ '{"type":"a"}', id => 'msg_1', ts => $start ],
		[ '{"type":"a"}', id => 'msg_2', ts => $start - 20 ],
	],
	'yoco' => [
		[ '{"id":"evt_1"}', id => 'msg_1', ts => $start - 20 ],
		[ '{"id":"evt_1"}', id => 'msg_1', ts => $start ],
		[ '{"id":"evt_1"}', id => 'msg_2', ts => $start ],
	],

	# the id stands in a header that nobody signed

	'github' => [
		[ '{"a":1}', id => 'd1', type => 'push' ],
		[ '{"a":1}', id => 'd2', type => 'push' ],
		[ '{"a":2}', id => 'd1', type => 'push' ],
	],

	# one body, two events

	'shopify' => [
		[ '{"a":1}', id => 'w1', type => 'orders/create' ],
		[ '{"a":1}', id => 'w2', type => 'orders/create' ],
		[ '{"a":1}', id => 'w1', type => 'orders/paid' ],
	],

	# a retry is a new message with the same key

	'bamotf' => [
		[ bamotf('m1', 1, 'payment_intent.processing'),
			ts => $start - 2 ],
		[ bamotf('m2', 1, 'payment_intent.processing'),
			ts => $start ],
		[ bamotf('m2', 2, 'payment_intent.processing'),
			ts => $start ],
	],
	'bitnob' => [
		[ '{"event":"a","event_id":"e1","data":{"id":"r1"},"n":1}' ],
		[ '{"event":"a","event_id":"e1","data":{"id":"r1"},"n":2}' ],
		[ '{"event":"a","event_id":"e2","data":{"id":"r1"},"n":1}' ],
	],

	# the only id is that of a card: several events have it

	'bitnob old' => [
		[ '{"event":"topup","data":{"id":"card1","amount":1}}' ],
		[ '{"event":"topup","data":{"id":"card1","amount":1}}' ],
		[ '{"event":"topup","data":{"id":"card1","amount":2}}' ],
	],
	'bitnob-timestamped' => [
		[ '{"event":"a","event_id":"t1"}', ts => $start - 4 ],
		[ '{"event":"a","event_id":"t1"}', ts => $start ],
		[ '{"event":"a","event_id":"t2"}', ts => $start ],
	],
	'slack' => [
		[ '{"event_id":"e1"}', ts => $start - 4 ],
		[ '{"event_id":"e1"}', ts => $start ],
		[ '{"event_id":"e2"}', ts => $start ],
	],
);

foreach my $name (sort keys %events) {
	my ($scheme) = split / /, $name;
	my ($first, $again, $other) = map { [ "/$scheme", $scheme, @$_ ] }
		@{$events{$name}};

	is(join(', ', map { sent(@$_) } $first, $again, $again, $other,
		$again), '200 proxied, 200 duplicate, 200 duplicate, '
			. '200 proxied, 200 duplicate', $name);
}

is(sent('/bamotf', 'bamotf', bamotf('m3', 1, 'payment_intent.succeeded')),
	'200 proxied', 'bamotf - other event with the same key');

# on a mismatch of the body: a duplicate

is(sent('/nextpay', 'nextpay', '{"id":"e1","type":"b"}'), '200 duplicate',
	'same id, other body');

# only a genuine event takes its id

foreach my $name (grep { !/ / } sort keys %events) {
	my ($body, %opts) = @{$events{$name}[0]};

	$body = "{\"id\":\"f\",\"event_id\":\"f\",\"idempotenceKey\":\"f\","
		. '"event":"a","data":{"paymentIntent":{"id":"f"}}}';
	$opts{id} = 'f' if defined $opts{id};

	my @event = ("/$name", $name, $body, %opts);

	is(join(', ', sent(@event, forged => 1), sent(@event),
		sent(@event, forged => 1), sent(@event)),
		'401, 200 proxied, 401, 200 duplicate', "$name - forged");
}

###############################################################################

# the answer to a duplicate

my $r = deliver('nextpay', $secret{nextpay}, '{"id":"e1","type":"a"}',
	uri => '/nextpay', headers => [ [ 'X-Case', 'duplicate' ] ]);

is($r->{status} . ' ' . length($r->{body}) . ' '
	. $r->header('Webhook-Duplicate'), '200 0 1', 'duplicate');
is($r->header('Content-Length'), 0, 'duplicate - empty');
is($r->header('Retry-After'), undef, 'duplicate - nothing to retry');

# nginx waits for the client to close, and logs then

$r->{client}->close();

is(logged('duplicate'), '200 "DUPLICATE" "already_delivered"',
	'duplicate - variables');

# after it the connection goes on

my $c = client(port => 8080);

is(join(', ', map { sent('/nextpay', 'nextpay', '{"id":"e1","type":"a"}',
	client => $c) } 1 .. 3), join(', ', ('200 duplicate') x 3),
	'duplicate - keepalive');
is(sent('/nextpay', 'nextpay', '{"id":"e-keepalive"}', client => $c),
	'200 proxied', 'duplicate - new event on the connection');

is(sent('/nextpay', 'nextpay', '{"id":"e1","type":"a"}',
	chunked => [ 3, 4 ], pieces => 'bytes'), '200 duplicate',
	'duplicate - chunked');
is(sent('/nextpay', 'nextpay', '{"id":"e1","type":"a"}', http => '1.0'),
	'200 duplicate', 'duplicate - HTTP/1.0');

###############################################################################

# what the upstream says

my $n = 0;

foreach my $status (200, 201, 202, 204, 206, 299) {
	my $id = 'o' . ++$n;

	$u->script($status);

	is(outcome($id) . ', ' . outcome($id), "$status proxied, 200 duplicate",
		"upstream $status");
}

foreach my $status (301, 302, 304, 400, 401, 404, 409, 410, 429, 500, 502,
	503, 504)
{
	my $id = 'o' . ++$n;

	$u->script($status);

	is(join(', ', map { outcome($id) } 1 .. 3),
		"$status proxied, 200 proxied, 200 duplicate",
		"upstream $status");
}

foreach my $behaviour ('reset', 'close') {
	my $id = 'o' . ++$n;

	$u->script($behaviour);

	is(join(', ', map { outcome($id) } 1 .. 3),
		'502 proxied, 200 proxied, 200 duplicate',
		"upstream $behaviour");
}

is(join(', ', outcome('dead', headers => [ [ 'X-Dead', 1 ] ]),
	outcome('dead'), outcome('dead', headers => [ [ 'X-Dead', 1 ] ])),
	'502, 200 proxied, 200 duplicate', 'upstream refuses connections');

$u->on(qr!^/outcome/slow!, 'hang');

is(join(', ', outcome('slow', uri => '/outcome/slow'),
	outcome('slow'), outcome('slow', uri => '/outcome/slow')),
	'504 proxied, 200 proxied, 200 duplicate', 'upstream times out');

# nginx takes no such answer

$u->script({ status => 200, headers => [ [ 'X-Big', 'x' x 100000 ] ] });

is(join(', ', map { outcome('big') } 1 .. 3),
	'502 proxied, 200 proxied, 200 duplicate', 'header of upstream too big');

# the status is what counts

$u->script({ type => 'headers_then_close', status => 200,
	body => 'x' x 100 });

is(join(', ', map { outcome('cut') } 1 .. 2), '200 proxied, 200 duplicate',
	'upstream closes after 200');

$u->script({ type => 'headers_then_close', status => 500,
	body => 'x' x 100 });

is(join(', ', map { outcome('cut500') } 1 .. 3),
	'500 proxied, 200 proxied, 200 duplicate',
	'upstream closes after 500');

# known before the first byte of the answer is

foreach my $case ([ 200, '200 duplicate' ], [ 500, '200 proxied' ]) {
	my ($status, $verdict) = @$case;

	$u->script({ type => 'headers_then_hang', status => $status,
		body => 'x' x 100,
		headers => [ [ 'X-Accel-Buffering', 'no' ] ] });

	$c = outcome("begun$status", send_only => 1);

	ok(begun($c), "$status - begun");
	is(outcome("begun$status"), $verdict, "$status - known when begun");

	$u->release();
	is($c->response()->{status}, $status, "$status - ended");
	is(outcome("begun$status"), '200 duplicate', "$status - remembered");
}

###############################################################################

# in flight

$u->reset()->script('hang');

$c = outcome('flight', send_only => 1);
$u->wait_for(1);

$r = deliver('nextpay', $secret{nextpay}, '{"id":"flight"}',
	uri => '/outcome', headers => [ [ 'X-Case', 'flight' ] ]);

is($r->{status} . ' ' . $r->header('Retry-After'), '503 5', 'in flight');
is($r->header('Webhook-Duplicate'), undef, 'in flight - is no duplicate');
$r->{client}->close();
is(logged('flight'), '503 "IN_FLIGHT" "lease_held"', 'in flight - variables');

is(outcome('flight-other'), '200 proxied', 'in flight - other event');
is(outcome('flight', forged => 1), '401', 'in flight - forged');
is(outcome('flight'), '503 retry 5', 'in flight - still');

$u->release();

is($c->response()->{status}, 200, 'in flight - first is answered');
is(outcome('flight'), '200 duplicate', 'in flight - then done');

$u->reset()->script('hang');

$c = outcome('flight2', send_only => 1);
$u->wait_for(1);
$u->release(1, 500);

is($c->response()->{status}, 500, 'in flight - first has failed');
is(outcome('flight2'), '200 proxied', 'in flight - then freed');

# the client leaves before the upstream has answered

foreach my $how (qw/ close abort /) {
	$u->reset()->script('hang');

	$c = outcome("left-$how", send_only => 1);
	$u->wait_for(1);
	$c->$how();

	ok($u->wait_gone(1), "client left by $how");
	is(outcome("left-$how") . ', ' . outcome("left-$how"),
		'200 proxied, 200 duplicate', "client left by $how - freed");
}

# and after its status was known

$u->reset()->script({ type => 'headers_then_hang', status => 200,
	body => 'x' x 100, headers => [ [ 'X-Accel-Buffering', 'no' ] ] });

$c = outcome('left-late', send_only => 1);
begun($c);
$c->abort();

ok($u->wait_gone(1), 'client left after the status');
is(outcome('left-late'), '200 duplicate', 'client left late - remembered');

# the outcome is learned all the same

foreach my $case ([ 200, '200 duplicate' ], [ 500, '200 proxied' ]) {
	my ($status, $verdict) = @$case;

	$u->reset()->script('hang');

	$c = outcome("learned$status", uri => '/outcome/learned',
		send_only => 1, headers => [ [ 'X-Case', "learned$status" ] ]);
	$u->wait_for(1);
	$c->abort();

	is(outcome("learned$status"), '503 retry 5',
		"client abort ignored, $status - in flight");

	$u->release(1, $status);
	logged("learned$status");

	is(outcome("learned$status"), $verdict,
		"client abort ignored, $status");
}

# what left before its body was there has taken nothing

$u->reset();

my $body = '{"id":"half"}';

$c = request(uri => '/outcome', send_only => 1, body => substr($body, 0, 5),
	length => length $body, headers => [ [ 'X-Case', 'half' ],
	sign('nextpay', $secret{nextpay}, $body) ]);
$c->abort();
logged('half');

is($u->count() . ', ' . outcome('half'), '0, 200 proxied',
	'client left in the body');

###############################################################################

# A lease is renewed at a third of it, as long as its request lives.  The same
# worker lets a request time out, and so must have come by a renewal.

$u->reset()->script('hang', 'hang', 'hang');

my $now = $t->clock();

$c = sent('/lease', 'nextpay', '{"id":"lease"}', send_only => 1);
$u->wait_for(1);

foreach my $after (2, 4) {
	$t->clock($now + $after);

	is(request(uri => '/timer')->{status}, 504, "lease - $after seconds");
}

$t->clock($now + 6);

is(sent('/lease', 'nextpay', '{"id":"lease"}'), '503 retry 5',
	'lease - renewed');

$u->release();

is($c->response()->{status}, 200, 'lease - answered');
is(sent('/lease', 'nextpay', '{"id":"lease"}'), '200 duplicate',
	'lease - done');

# and where it has ended, it is not

$u->reset()->script('hang');

$c = sent('/lease', 'nextpay', '{"id":"ended"}', send_only => 1);
$u->wait_for(1);
$c->abort();
$u->wait_gone(1);

is(sent('/lease', 'nextpay', '{"id":"ended"}'), '200 proxied',
	'lease - freed');

$t->clock($now + 10);

is(sent('/lease', 'nextpay', '{"id":"ended"}'), '200 duplicate',
	'lease - done, whatever its length');

###############################################################################

# events that cannot be told apart are delivered each time

my $long = 'x' x 257;
my $large = '{"id":"large","x":"' . 'x' x 2000 . '"}';

foreach my $case (
	[ 'no JSON', 'hello', 'invalid_json' ],
	[ 'empty body', '', 'invalid_json' ],
	[ 'cut JSON', '{"id":"cut"', 'invalid_json' ],
	[ 'more than one', '{"id":"two"}{"id":"two"}', 'invalid_json' ],
	[ 'lone surrogate', '{"id":"\ud800"}', 'invalid_json' ],
	[ 'bad UTF-8', "{\"id\":\"\xff\"}", 'invalid_json' ],
	[ 'deep', '{"id":"deep","x":' . '[' x 64 . ']' x 64 . '}',
		'invalid_json' ],
	[ 'very deep', '{"id":"deep","x":' . '[' x 400000 . ']' x 400000 . '}',
		'invalid_json' ],
	[ 'very deep objects', '{"id":"deep","x":' . '{"a":' x 100000,
		'invalid_json' ],
	[ 'no id', '{"type":"a"}', 'missing_id' ],
	[ 'id elsewhere', '{"data":{"id":"a"}}', 'missing_id' ],
	[ 'no object', '["id"]', 'missing_id' ],
	[ 'empty id', '{"id":""}', 'missing_id' ],
	[ 'null', '{"id":null}', 'missing_id' ],
	[ 'float', '{"id":1.5}', 'missing_id' ],
	[ 'exponent', '{"id":1e3}', 'missing_id' ],
	[ 'object', '{"id":{"a":"b"}}', 'missing_id' ],
	[ 'array', '{"id":["a"]}', 'missing_id' ],
	[ 'control character', '{"id":"a\u0001"}', 'missing_id' ],
	[ 'NUL', '{"id":"a\u0000"}', 'missing_id' ],
	[ 'long id', "{\"id\":\"$long\"}", 'id_too_long' ],
	[ 'large', $large, 'json_too_large', uri => '/small' ],
) {
	my ($name, $body, $reason, %opts) = @$case;

	my @event = ($opts{uri} || '/nextpay', 'nextpay', $body,
		headers => [ [ 'X-Case', $name ] ]);

	is(join(', ', sent(@event, forged => 1), sent(@event), sent(@event),
		logged($name, 3)),
		'401, 200 proxied, 200 proxied, 200 "PASSED" "' . $reason . '"',
		"$name, each time");
}

# so are those whose id stands in a header

foreach my $case (
	[ 'control character', "a\tb", '200 proxied', '"PASSED" "missing_id"' ],
	[ 'long', $long, '200 proxied', '"PASSED" "id_too_long"' ],
	[ 'longest', 'x' x 256, '200 duplicate',
		'"DUPLICATE" "already_delivered"' ],
) {
	my ($name, $id, $second, $logged) = @$case;

	$name = "header, $name";

	my @event = (uri => '/headed', body => '{}', headers => [
		[ 'X-Case', $name ], [ 'X-Id', $id ],
		sign('nextpay', $secret{nextpay}, "$id.{}") ]);

	my @got = map {
		my $count = $u->count();
		my $r = request(@event);
		verdict($r, $u->count() - $count);
	} 1 .. 2;

	is(join(', ', @got, logged($name, 2)),
		"200 proxied, $second, 200 $logged", $name);

	is(request(@event, body => '{ }')->{status}, 401, "$name - forged");
}

# those just this side of it are not

foreach my $case (
	[ 'small', '{"id":"small","x":"' . 'x' x 900 . '"}' ],
	[ 'longest id', '{"id":"' . 'y' x 256 . '"}' ],
	[ 'integer', '{"id":12345678901234567890}' ],
	[ 'negative', '{"id":-1}' ],
	[ 'true', '{"id":true}' ],
	[ 'pair of surrogates', '{"id":"\ud83d\ude00"}' ],
	[ 'space', " \r\n{ \"id\" : \" a \" }\n" ],
) {
	my ($name, $body) = @$case;

	is(join(', ', map { sent('/small', 'nextpay', $body) } 1 .. 2),
		'200 proxied, 200 duplicate', "$name, once");
}

# ambiguous on the way to the key

foreach my $case (
	[ 'id twice', '{"id":"amb1","id":"amb2"}' ],
	[ 'id twice, same', '{"id":"amb1","id":"amb1"}' ],
	[ 'id twice, escaped', '{"id":"amb1","\u0069d":"amb2"}' ],
	[ 'id twice, null', '{"id":null,"id":"amb2"}' ],
) {
	my ($name, $body) = @$case;

	my @event = ('/nextpay', 'nextpay', $body,
		headers => [ [ 'X-Case', $name ] ]);

	is(sent(@event) . ', ' . logged($name),
		'400, 400 "REJECTED" "ambiguous_json"', $name);
	is(sent(@event, forged => 1), '401', "$name - forged");
	is(sent('/plain', 'nextpay', $body), '200 proxied',
		"$name - without dedup");
}

is(join(', ', map { sent('/nextpay', 'nextpay', "{\"id\":\"amb$_\"}") } 1, 2),
	'200 proxied, 200 proxied', 'ambiguous - nothing was taken');

is(join(', ', map { sent('/nextpay', 'nextpay',
	'{"id":"type-twice","type":"a","type":"b"}') } 1, 2),
	'200 proxied, 200 duplicate', 'ambiguous - not on the way, type');
is(join(', ', map { sent('/nextpay', 'nextpay',
	'{"id":"x-twice","x":{"id":1,"id":2},"y":1,"y":2}') } 1, 2),
	'200 proxied, 200 duplicate', 'ambiguous - not on the way');
is(join(', ', map { sent('/standard-webhooks', 'standard-webhooks',
	'{"type":"a","type":"b"}', id => 'msg_twice') } 1, 2),
	'200 proxied, 200 duplicate', 'ambiguous - id is in a header');
is(join(', ', map { sent('/standard-webhooks', 'standard-webhooks',
	'hello', id => 'msg_hello') } 1, 2),
	'200 proxied, 200 duplicate', 'no JSON - id is in a header');
is(join(', ', map { sent('/shown', 'nextpay', '{"id":"s","id":"t"}') } 1, 2),
	'200 proxied, 200 duplicate', 'ambiguous id - key is the body');
is(join(', ', map { sent('/shown', 'nextpay', "{\"id\":\"u\",\"n\":$_}") }
	1, 2, 1), '200 proxied, 200 proxied, 200 duplicate',
	'same id - key is the body');

###############################################################################

# all of the id counts, and where its parts end

is(join(', ', map { sent('/nextpay', 'nextpay',
	'{"id":"' . 'z' x 255 . $_ . '"}') } qw/ a b a /),
	'200 proxied, 200 proxied, 200 duplicate', 'last byte of 256');
is(join(', ', map { sent('/nextpay', 'nextpay', "{\"id\":\"$_\"}") }
	'A', 'a', 'a\u0020', 'a  ', 'a ', '\u0061'), '200 proxied, '
	. '200 proxied, 200 proxied, 200 proxied, 200 duplicate, '
	. '200 duplicate', 'ids that are alike');
is(join(', ', map { sent('/pair', 'nextpay',
	"{\"a\":\"$_->[0]\",\"b\":\"$_->[1]\"}") }
	[ 'ab', 'c' ], [ 'a', 'bc' ], [ 'a:b', 'c' ], [ 'a', 'b:c' ],
	[ 'ab', 'c' ], [ 'a', 'b:c' ]), '200 proxied, 200 proxied, '
	. '200 proxied, 200 proxied, 200 duplicate, 200 duplicate',
	'two parts');
is(join(', ', map { sent('/pair', 'nextpay', '{"a":"ab","b":""}') } 1, 2),
	'200 proxied, 200 proxied', 'two parts - one is missing');

###############################################################################

# namespaces

is(ns('ns1', '/ns/default', '/ns/default', '/ns/zone', '/ns/zone',
	'/nextpay', '/ns/default'), 'new dup new dup new dup',
	'default and zone');
is(ns('ns2', '/ns/default/a?x', '/ns/default/b?y'), 'new dup',
	'one location, two URIs');
is(ns('ns3', '/ns/default', [ '/ns/default', host => 'other' ],
	[ '/ns/default', host => 'other' ]), 'new new dup', 'two servers');
is(ns('ns4', '/ns/regex/a', '/ns/regex/b', '/ns/default'), 'new dup new',
	'regex location');
is(ns('ns5', '/ns/shared1', '/ns/shared2', '/ns/default'), 'new dup new',
	'shared by two locations');
is(ns('ns6', '/ns/shared1', '/ns/scheme', '/ns/scheme'), 'new new dup',
	'two schemes');
is(ns('ns7', '/ns/tenant?tenant=a', '/ns/tenant?tenant=b',
	'/ns/tenant?tenant=a', '/ns/tenant?tenant=b', '/ns/tenant?tenant=ab'),
	'new new dup dup new', 'tenants');
is(ns('ns8', '/ns/tenant?tenant=', '/ns/tenant?tenant=', '/ns/tenant',
	'/ns/default'), 'new new new new', 'no tenant, no dedup');
is(ns('ns9', '/ns/parent', '/ns/parent/child', '/ns/parent/off',
	'/ns/parent/off', '/ns/parent'), 'new dup new new dup',
	'inherited, off');

###############################################################################

# A body that comes slowly cannot outlive its id: the age is judged once more.
# Nginx asks for the body once it has judged the header.

foreach my $case ([ 60, '200 proxied' ], [ 61, '401' ]) {
	my ($after, $verdict) = @$case;

	$body = "{\"after\":$after}";
	my $now = $t->clock();
	my $count = $u->count();

	$c = request(uri => '/window', send_only => 1, body => '',
		length => length $body, headers => [
		[ 'Expect', '100-continue' ],
		sign('standard-webhooks', $secret{'standard-webhooks'},
			$body, id => "after$after", ts => $now - 300)
	]);
	$r = $c->response(interim => 1);

	$t->clock($now + $after);
	$c->send($body);

	is("$r->{status}, " . verdict($c->response(), $u->count() - $count),
		"100, $verdict", "body $after seconds later");
}

###############################################################################

# how long

$now = $t->clock();

my %first = (
	ttl => [ '/ttl', 'nextpay', '{"id":"ttl"}' ],
	default => [ '/nextpay', 'nextpay', '{"id":"default"}' ],
	retries => [ '/standard-webhooks', 'standard-webhooks', '{}',
		id => 'retries' ],
	window => [ '/window', 'standard-webhooks', '{}', id => 'window' ],
	future => [ '/window', 'standard-webhooks', '{}', id => 'future' ],
);

is(join(', ', map { sent(@{$first{$_}}, $_ eq 'future'
	? (ts => $now + 300) : ()) } sort keys %first),
	join(', ', ('200 proxied') x keys %first), 'remembered from now on');

foreach my $case (
	[ 59, 'ttl', '200 duplicate', 'ttl - one second before its end' ],
	[ 60, 'ttl', '200 proxied', 'ttl - at its end' ],
	[ 61, 'ttl', '200 duplicate', 'ttl - counts from the delivery' ],
	[ 300, 'window', '200 duplicate', 'window - replay',
		ts => $now ],
	[ 359, 'window', '200 duplicate', 'window and a minute' ],
	[ 600, 'future', '200 duplicate', 'future - replay',
		ts => $now + 300 ],
	[ 601, 'future', '401', 'future - late replay',
		ts => $now + 300 ],
	[ 659, 'future', '200 duplicate', 'future - window and a minute' ],
	[ 1320, 'window', '200 proxied', 'window - later' ],
	[ 1320, 'future', '200 proxied', 'future - later' ],
	[ 24 * 3600 - 1, 'default', '200 duplicate', 'default - 24h' ],
	[ 24 * 3600, 'default', '200 proxied', 'default - after 24h' ],
	[ 76 * 3600 - 1, 'retries', '200 duplicate', 'default - retries' ],
	[ 76 * 3600, 'retries', '200 proxied', 'default - after retries' ],
) {
	my ($after, $event, $verdict, $name, %opts) = @$case;

	$t->clock($now + $after);

	is(sent(@{$first{$event}}, %opts), $verdict, $name);
}

###############################################################################

sub bamotf {
	my ($id, $key, $event) = @_;

	return "{\"id\":\"$id\",\"idempotenceKey\":\"$key\","
		. "\"event\":\"$event\",\"data\":{\"paymentIntent\":"
		. '{"id":"pi_1"}}}';
}

# What became of a delivery: the answer's status, "proxied" if it reached the
# upstream.  What is forged has the right id, and one byte too many.

sub sent {
	my ($uri, $scheme, $body, %opts) = @_;

	my $count = $opts{send_only} || $u->count();

	my $r = request(%opts, uri => $uri,
		body => $opts{forged} ? "$body " : $body,
		headers => [ sign($scheme, $secret{$scheme}, $body, %opts),
			@{$opts{headers} || []} ]);

	return $opts{send_only} ? $r : verdict($r, $u->count() - $count);
}

sub verdict {
	my ($r, $proxied) = @_;

	my $duplicate = $r->header('Webhook-Duplicate');
	my $retry = $r->header('Retry-After');

	return join ' ', $r->{status}, $proxied ? 'proxied' : (),
		$proxied > 1 ? "$proxied times" : (),
		defined $duplicate ? $duplicate eq '1' && $r->{body} eq ''
			? 'duplicate' : "duplicate: $duplicate" : (),
		defined $retry ? "retry $retry" : ();
}

sub outcome {
	my ($id, %opts) = @_;

	return sent('/outcome', 'nextpay', "{\"id\":\"$id\"}", %opts)
		unless defined $opts{uri};

	return sent(delete $opts{uri}, 'nextpay', "{\"id\":\"$id\"}", %opts);
}

sub ns {
	my ($id, @uris) = @_;

	my %name = ('200 proxied' => 'new', '200 duplicate' => 'dup');

	return join ' ', map {
		my ($uri, %opts) = ref $_ ? @$_ : $_;
		my $verdict = sent($uri, 'nextpay', "{\"id\":\"$id\"}",
			%opts);
		$name{$verdict} || $verdict;
	} @uris;
}

# the first bytes of the answer are there

sub begun {
	my ($c) = @_;
	my @ready = IO::Select->new($c->socket())->can_read(10);
	return scalar @ready;
}

# lines are written after the answer

sub logged {
	my @lines = $t->logged($_[0], count => $_[1]);
	return @lines ? $lines[-1] : 'not logged';
}

###############################################################################
