#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what is chosen among genuine events: variables with values of the
# body, webhook_events, webhook_ignore.

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
my $yoco = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';

my $t = Test::Nginx->new()->has(qw/http proxy map/)->plan(138);

# what a webhook_json variable is asked for

my %pointers = (
	mode => '/payload/mode',
	top => '/top',
	whole => "''",
	none => '/',
	zero => '/list/0',
	deep => '/list/2/a/0',
	slash => '/a~1b',
	tilde => '/a~0b',
	both => '/~01',
	digits => '/map/0',
	lead => '/list/01',
	past => '/list/-',
	space => '"/a b"',
	utf => "/\xc3\xa9",
);

my $variables = join "\n", map { "    webhook_json  \$j_$_ $pointers{$_};" }
	sort keys %pointers;
my $headers = join "\n", map { "        proxy_set_header  X-J-$_ \"[\$j_$_]\";"
	} sort keys %pointers;

my $conf = <<"EOF";

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict
        '"\$http_x_case" \$status "\$webhook_status" "\$webhook_reason" '
        '"\$j_mode" "\$webhook_event_type"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone      zone=events:1m;
    webhook_in_flight_wait  0;

$variables
    webhook_json  \$checkout /payload/metadata/checkoutId;

    map \$j_mode \$not_live {
        default  1;
        live     0;
        ''       0;
    }

    map \$checkout \$not_ours {
        default  1;
        ours-1   0;
        ours-2   '';
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;

$headers

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /json {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /json/small {
            webhook_json_max_size  64;
            proxy_pass             http://127.0.0.1:8081;
        }

        location /events {
            webhook_events  payment.* refund invoice.paid;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /events/all {
            webhook_events  *;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /ignore {
            webhook_ignore  \$not_live;
            webhook_dedup   zone=events key=ignore;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /ignore/yoco {
            webhook_verify  yoco;
            webhook_secret  $yoco;
            webhook_ignore  \$not_live \$not_ours;
            webhook_dedup   zone=events key=yoco;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /ignore/arg {
            webhook_ignore          \$arg_a\$arg_b;
            webhook_ignored_status  204;
            proxy_pass              http://127.0.0.1:8081;
        }

        location /ignore/small {
            webhook_ignore         \$arg_a;
            webhook_json_max_size  64;
            proxy_pass             http://127.0.0.1:8081;
        }

        location /both {
            webhook_events          payment.*;
            webhook_ignore          \$not_live;
            webhook_ignored_status  299;
            proxy_pass              http://127.0.0.1:8081;
        }

        location /dry {
            webhook_events   payment.*;
            webhook_ignore   \$not_live;
            webhook_dedup    zone=events key=ignore;
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }
    }
}

EOF

$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);

$t->run();

###############################################################################

# values: strings and integers as sent, booleans; nothing else

foreach my $case (
	[ '{"top":"a"}', top => 'a' ],
	[ '{"top":""}', top => '' ],
	[ '{"top":12}', top => '12' ],
	[ '{"top":-0}', top => '-0' ],
	[ '{"top":123456789012345678901234567890}',
		top => '123456789012345678901234567890' ],
	[ '{"top":1.0}', top => '' ],
	[ '{"top":1e3}', top => '' ],
	[ '{"top":true}', top => 'true' ],
	[ '{"top":false}', top => 'false' ],
	[ '{"top":null}', top => '' ],
	[ '{"top":{"a":1}}', top => '' ],
	[ '{"top":["a"]}', top => '' ],
	[ '{"other":"a"}', top => '' ],
	[ '{"TOP":"a"}', top => '' ],
	[ '{"payload":{"top":"a"}}', top => '' ],
	[ " \n{ \"top\" :\t\"a\" } \n", top => 'a' ],

	[ '{"top":"\u00e9\ud83d\ude00"}', top => "\xc3\xa9\xf0\x9f\x98\x80" ],
	[ '{"top":"a\"b\\\\c\/d"}', top => 'a"b\c/d' ],
	[ '{"\u0074op":"a"}', top => 'a' ],

	# what would be more than a value where it is put into a header

	(map { [ "{\"top\":\"a${_}X-Admin: 1\"}", top => '' ] }
		'\r\n', '\n', '\r', '\u000a', '\u0000', '\u007f', '\t', '\u001b'),
	[ '{"top":"a\u0085X-Admin: 1"}', top => "a\xc2\x85X-Admin: 1" ],
	[ '{"top":"aX-Admin: 1"}', top => 'aX-Admin: 1' ],

	[ '{"top":"\ud800"}', top => '' ],
	[ '{"top":"a\nb"}', top => '' ],
	[ '{"top":"a\u007f"}', top => '' ],
	[ '{"top":"' . 'x' x 257 . '"}', top => 'x' x 257 ],
	[ '{"top":"' . 'x' x 5000 . '"}', top => 'x' x 5000 ],

	[ '{"payload":{"mode":"live"}}', mode => 'live' ],
	[ '{"payload":{"x":{"mode":"a"},"mode":"live"}}', mode => 'live' ],
	[ '{"payload":[{"mode":"live"}]}', mode => '' ],
	[ '{"payload":"mode"}', mode => '' ],

	[ '{"list":["a","b",{"a":["c"]}]}', zero => 'a', deep => 'c',
		lead => '', past => '' ],
	[ '{"list":[["a"],"b"]}', zero => '' ],
	[ '{"list":{"0":"a","01":"b","-":"c"}}', zero => 'a', lead => 'b',
		past => 'c' ],
	[ '{"map":["a"]}', digits => 'a' ],
	[ '["a"]', zero => '' ],

	[ '{"a/b":"1","a~b":"2","~1":"3","a b":"4","":"5"}', slash => '1',
		tilde => '2', both => '3', space => '4', none => '5' ],
	[ "{\"\xc3\xa9\":\"a\"}", utf => 'a' ],

	[ '"text"', whole => 'text', top => '' ],
	[ '42', whole => '42' ],
	[ '{}', whole => '' ],

	# on the way to it, and beside it

	[ '{"top":"a","top":"a"}', top => '' ],
	[ '{"top":"a","top":null}', top => '' ],
	[ '{"payload":{"mode":"a"},"payload":{}}', mode => '' ],
	[ '{"x":1,"x":2,"top":"a"}', top => 'a' ],
	[ '{"payload":{"x":1,"x":2,"mode":"a"}}', mode => 'a' ],
	[ '{"payload":{"mode":"a"},"top":"b","top":"c"}', mode => 'a',
		top => '' ],

	[ 'text', top => '', whole => '' ],
	[ '', top => '', whole => '' ],
	[ '{"top":"a"', top => '' ],
	[ '{"top":"a"}x', top => '' ],
	[ '{"top":"a"}{}', top => '' ],
	[ "{\"top\":\"\xff\"}", top => '' ],
) {
	my ($body, %want) = @$case;

	my $verdict = sent('/json', $body);
	my $last = $u->last();

	(my $name = $body) =~ s/([^ -~])/sprintf('\\x%02x', ord $1)/ge;

	is(join(', ', $verdict, map { "$_ " . (Test::Nginx::Upstream::header(
		$last, "X-J-$_") || 'none') } sort keys %want),
		join(', ', '200 proxied', map { "$_ [$want{$_}]" }
			sort keys %want), "value of $name");
}

# only of what is genuine

is(sent('/json', '{"payload":{"mode":"live"}}', case => 'forged',
	forged => 1), '401', 'forged');
is(logged('forged'), '401 "REJECTED" "signature_mismatch" "" ""',
	'forged - no value');

# up to a size, chunked or not

foreach my $case ([ 64, '[a]' ], [ 65, '[]' ], [ 100, '[]' ]) {
	my ($size, $want) = @$case;

	my $n = $size - 18;
	my $body = '{"top":"a","x":"' . 'x' x $n . '"}';

	foreach my $chunked (0, 1) {
		is(join(', ', sent('/json/small', $body, $chunked
			? (chunked => [ 10, 20 ]) : ()),
			Test::Nginx::Upstream::header($u->last(), 'X-J-top')),
			"200 proxied, $want", length($body) . " bytes"
				. ($chunked ? ', chunked' : ''));
	}
}

my $body = '{"top":"a","x":"' . 'x' x (1048576 - 18) . '"}';

is(join(', ', sent('/json', $body), Test::Nginx::Upstream::header($u->last(),
	'X-J-top')), '200 proxied, [a]', 'a megabyte');

is(sent('/json', "$body "), '413', 'more than client_max_body_size');

###############################################################################

# types

my $id = 0;

foreach my $case (
	[ '/events', 'payment.succeeded', 1 ],
	[ '/events', 'payment.', 1 ],
	[ '/events', 'payment', 0 ],
	[ '/events', 'payments.x', 0 ],
	[ '/events', 'Payment.succeeded', 0 ],
	[ '/events', 'xpayment.succeeded', 0 ],
	[ '/events', 'refund', 1 ],
	[ '/events', 'refund.x', 0 ],
	[ '/events', 'refun', 0 ],
	[ '/events', 'invoice.paid', 1 ],
	[ '/events', 'invoice.paid2', 0 ],
	[ '/events', '*', 0 ],
	[ '/events/all', 'anything', 1 ],
) {
	my ($uri, $type, $passes) = @$case;

	$id++;

	is(join(', ', map { sent($uri, "{\"id\":\"t$id\",\"type\":\"$type\"}")
		} 1 .. 2), !$passes ? '200 ignored, 200 ignored' :
		$uri eq '/events' ? '200 proxied, 200 duplicate'
		: '200 proxied, 200 proxied', "$uri $type");
}

# what has none is a ping

foreach my $type ('', ',"type":""', ',"type":null', ',"type":1.5',
	',"type":"a","type":"b"', ',"type":["refund"]')
{
	$id++;

	is(sent('/events', "{\"id\":\"t$id\"$type}"), '200 proxied',
		"no type$type");
}

is(sent('/events', 'ping'), '200 proxied', 'no JSON');

# the answer to what is ignored

my $r = deliver('nextpay', $secret, '{"id":"i1","type":"other"}',
	uri => '/events', headers => [ [ 'X-Case', 'ignored' ] ]);

is(join(' ', $r->{status}, length $r->{body}, $r->header('Content-Length'),
	map { defined $r->header($_) ? $_ : () } 'Webhook-Duplicate',
	'Retry-After'), '200 0 0', 'ignored - answer');
$r->{client}->close();
is(logged('ignored'), '200 "IGNORED" "event_type" "" "other"',
	'ignored - variables');

my $c = client(port => 8080);

is(join(', ', map { sent('/events', "{\"id\":\"k1\",\"type\":\"$_\"}",
	client => $c) } 'other', 'refund', 'refund', 'other'),
	'200 ignored, 200 proxied, 200 duplicate, 200 ignored',
	'ignored - keepalive');

$c->close();

# only what is genuine is

is(sent('/events', '{"id":"f1","type":"other"}', forged => 1), '401',
	'ignored - forged');
is(deliver('nextpay', 'another-secret-0123456789',
	'{"id":"f1","type":"other"}', uri => '/events')->{status}, 401,
	'ignored - another secret');

###############################################################################

# fields

foreach my $case (
	[ '{"id":"m1","payload":{"mode":"live"}}', '200 proxied' ],
	[ '{"id":"m2","payload":{"mode":"test"}}', '200 ignored' ],
	[ '{"id":"m3","payload":{}}', '200 proxied' ],
	[ '{"id":"m4","payload":{"mode":"test","mode":"live"}}',
		'200 proxied' ],
) {
	my ($body, $want) = @$case;

	is(sent('/ignore', $body), $want, "ignore - $body");
}

# a later configuration finds nothing that was taken

is(join(', ', map { sent('/ignore', '{"id":"r1","payload":{"mode":"test"}}',
	case => 'r1') } 1 .. 2), '200 ignored, 200 ignored', 'before a reload');
is(logged('r1'), '200 "IGNORED" "event_filter" "test" ""',
	'before a reload - logged');

(my $other = $conf) =~ s/live     0;/live     0; test 0;/;
$t->write_file_expand('nginx.conf', $other);
$t->reload();

is(join(', ', map { sent('/ignore', '{"id":"r1","payload":{"mode":"test"}}')
	} 1 .. 2), '200 proxied, 200 duplicate', 'after a reload');

$t->write_file_expand('nginx.conf', $conf);
$t->reload();

# what was accepted and is then ignored

is(sent('/ignore', '{"id":"r1","payload":{"mode":"test"}}'), '200 ignored',
	'filter before dedup');

# an account that others use too

foreach my $case (
	[ 'ours-1', 'live', '200 proxied' ],
	[ 'ours-2', 'live', '200 proxied' ],
	[ 'theirs', 'live', '200 ignored' ],
	[ 'ours-1', 'test', '200 ignored' ],
	[ '', 'live', '200 ignored' ],
) {
	my ($checkout, $mode, $want) = @$case;

	my $body = "{\"id\":\"evt\",\"type\":\"payment.succeeded\",\"payload\":"
		. "{\"mode\":\"$mode\",\"metadata\":{\"checkoutId\":"
		. "\"$checkout\"}}}";

	my $n = $u->count();
	my $r = deliver('yoco', $yoco, $body, uri => '/ignore/yoco',
		id => "msg-$checkout-$mode");

	is(verdict($r, $u->count() - $n), $want, "checkout $checkout, $mode");

	$n = $u->count();

	# of another, or changed

	$r = request(uri => '/ignore/yoco', body => "$body ",
		headers => [ sign('yoco', $yoco, $body, id => 'msg') ]);

	is(verdict($r, $u->count() - $n), '401',
		"checkout $checkout, $mode, forged");
}

# any text

foreach my $case (
	[ '?a=1', '204 ignored' ],
	[ '?a=0', '200 proxied' ],
	[ '?a=', '200 proxied' ],
	[ '', '200 proxied' ],
	[ '?a=00', '204 ignored' ],
	[ '?a=0&b=0', '204 ignored' ],
	[ '?b=0', '200 proxied' ],
	[ '?b=x', '204 ignored' ],
	[ '?a=false', '204 ignored' ],
) {
	my ($args, $want) = @$case;

	is(sent("/ignore/arg$args", '{"id":"a"}'), $want,
		"text $args");
}

# where nothing could be read nothing is known

foreach my $case (
	[ 'text', 'text' ],
	[ 'cut', '{"id":"a"' ],
	[ 'long', '{"id":"' . 'a' x 64 . '"}' ],
	[ 'empty', '' ],
) {
	my ($name, $body) = @$case;

	is(sent('/ignore/small?a=1', $body), '200 proxied',
		"not parsed - $name");
}

is(sent('/ignore/small?a=1', '{"id":"a"}'), '200 ignored', 'parsed');

# both

foreach my $case (
	[ 'payment.a', 'live', '200 proxied' ],
	[ 'payment.a', 'test', '299 ignored' ],
	[ 'refund', 'live', '299 ignored' ],
	[ 'refund', 'test', '299 ignored' ],
) {
	my ($type, $mode, $want) = @$case;

	is(sent('/both', "{\"type\":\"$type\",\"payload\":{\"mode\":\"$mode\"}}"),
		$want, "both - $type $mode");
}

# dry run says what would be

foreach my $case (
	[ 'type', '{"id":"d1","type":"other"}', 'IGNORED_DRY_RUN',
		'event_type' ],
	[ 'field', '{"id":"d1","type":"payment.a","payload":{"mode":"test"}}',
		'IGNORED_DRY_RUN', 'event_filter' ],
	[ 'passed', '{"id":"d1","type":"payment.a","payload":{"mode":"live"}}',
		'PASSED_DRY_RUN', '' ],
) {
	my ($name, $body, $status, $reason) = @$case;

	is(sent('/dry', $body, case => "dry-$name"), '200 proxied',
		"dry run - $name");
	like(logged("dry-$name"), qr/^200 "$status" "$reason"/,
		"dry run - $name, logged");
}

is(sent('/ignore', '{"id":"d1"}'), '200 proxied', 'dry run - claims nothing');

###############################################################################

# What became of a delivery.  What is forged has one byte too many.

sub sent {
	my ($uri, $body, %opts) = @_;

	my $count = $u->count();

	my $r = request(%opts, uri => $uri,
		body => $opts{forged} ? "$body " : $body,
		headers => [ sign('nextpay', $secret, $body),
			$opts{case} ? [ 'X-Case', $opts{case} ] : () ]);

	return verdict($r, $u->count() - $count);
}

sub verdict {
	my ($r, $proxied) = @_;

	return join ' ', $r->{status}, $proxied ? 'proxied'
		: $r->header('Webhook-Duplicate') ? 'duplicate'
		: $r->{status} =~ /^2/ && $r->{body} eq '' ? 'ignored' : ();
}

# lines are written after the answer

sub logged {
	my ($line) = $t->logged(@_);
	return defined $line ? $line : 'not logged';
}

###############################################################################
