#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the monitor counts: each request once, by its last verdict;
# what was aborted; ages, deliveries, secrets; events in flight and requests
# that wait, also of a process that was killed; several processes at once.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use Time::HiRes qw/ sleep /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;

my %secret = (old => 'the-first-secret-of-the-test',
	new => 'the-second-secret-of-the-test');

my $t = Test::Nginx->new()->has(qw/http proxy rewrite auth_request/)
	->has_faketime()->allow(qr/exited on signal 9/)->plan(65);

$t->write_file('secrets', "$secret{old}\n$secret{new}\n");
chmod 0600, $t->testdir() . '/secrets';

$t->write_file_expand('nginx.conf', <<'EOF_');

%%TEST_GLOBALS%%

worker_processes  4;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;
    webhook_dedup_zone  zone=s:1m state=%%TESTDIR%%/z.state;
    webhook_secret      file:secrets;

    client_body_timeout  1s;

    log_format  place  '"$uri" $webhook_place|$webhook_dedup_id';
    access_log  %%TESTDIR%%/verdict.log  place;

    server {
        listen       127.0.0.1:8088;
        server_name  monitor.example.com;

        location = /webhooks {
            webhook_monitor;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        webhook_verify  nextpay;

        location = /plain {
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /dedup {
            webhook_dedup           zone=z;
            webhook_in_flight_wait  0;
            proxy_pass              http://127.0.0.1:8081;
        }

        location = /wait {
            webhook_dedup           zone=z;
            webhook_in_flight_wait  30s;
            proxy_pass              http://127.0.0.1:8081;
        }

        location = /dry {
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }

        location = /stripe {
            webhook_verify     stripe;
            webhook_tolerance  100 200;
            proxy_pass         http://127.0.0.1:8081;
        }

        location = /events {
            webhook_events  wanted;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /small {
            client_max_body_size  1k;
            proxy_pass            http://127.0.0.1:8081;
        }

        location = /pages {
            client_max_body_size  1k;
            error_page  400 401 408 413 = /page;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /redirect {
            error_page  500 = @other;
            proxy_intercept_errors  on;
            proxy_pass  http://127.0.0.1:8081;
        }

        location @other {
            webhook_verify  stripe;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /denied {
            deny        all;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /asks {
            auth_request  /page;
            proxy_pass    http://127.0.0.1:8081;
        }

        location = /one {
            webhook_place  "both of \"them\"";
            proxy_pass     http://127.0.0.1:8081;
        }

        location = /two {
            webhook_place  "both of \"them\"";
            proxy_pass     http://127.0.0.1:8081;
        }

        location = /page {
            webhook_verify  off;
            return          200;
        }

        location = /off {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location / {
            webhook_verify  off;
            return          204;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

# from the start, at zero

my %zero = metrics();

is(join("\n", sort grep { /place="hooks.example.com\/(?:dry|dedup)"/ }
	keys %zero), join("\n", sort map { my ($place, $mode) = @$_;
	(map { "requests_total{place=\"hooks.example.com/$place\","
		. "scheme=\"nextpay\",mode=\"$mode\",outcome=\"$_->[0]\","
		. "reason=\"$_->[1]\"}" }
		[ 'passed', 'none' ], [ 'rejected', 'signature_mismatch' ],
		[ 'duplicate', 'already_delivered' ],
		[ 'unavailable', 'internal_error' ]),
	map { "secret_matches_total{place=\"hooks.example.com/$place\","
		. "scheme=\"nextpay\",secret=\"$_\"}" } 1, 2 }
	[ 'dry', 'dry_run' ], [ 'dedup', 'enforce' ]), 'from the start');

my ($release) = project_text('src/ngx_http_webhook.h')
	=~ /^#define NGX_HTTP_WEBHOOK_VERSION +"(.*)"/m;

is(join(' ', grep { $zero{$_} and !/^state_write_time/ } sort keys %zero),
	'build_info{version="' . $release . '",nginx="' . version() . '"} '
	. 'config_load_timestamp_seconds counting_since_timestamp_seconds '
	. 'dedup_slots{zone="s"} dedup_slots{zone="z"}', 'at zero');

is($zero{counting_since_timestamp_seconds}, $now, 'since');
is($zero{config_load_timestamp_seconds}, $now, 'loaded');
is(scalar(grep { /place="hooks.example.com"/ } keys %zero), 0,
	'no request gets to a server that has a location for all');

ok(wait_until(sub { (metric('state_write_timestamp_seconds', zone => 's') || 0)
	== $now }), 'state file in step');
is(metric('state_write_errors_total', zone => 's'), 0, 'state file - errors');
is(metric('state_write_errors_total', zone => 'z'), undef, 'no state file');

# the documentation says what is served

my ($table) = project_text('docs/operation.md')
	=~ /### Metrics\n(.*?)\nThere from/s;

is(join("\n", sort map { /^# HELP nginx_webhook_(\S+) (.*)/ ? "$1: $2" : () }
	split /\n/, monitor()->{body}),
	join("\n", sort map { /^\| `(\w+)` \|.*\| (.*) \|$/ ? "$1: $2" : () }
	split /\n/, $table), 'documented');

# outcomes and reasons

is(counted('/plain', hook('/plain')), '200 passed/none', 'passed');
is(counted('/plain', hook('/plain', key => 'wrong')),
	'401 rejected/signature_mismatch', 'rejected');
is(counted('/plain', request(uri => '/plain', body => '{}')),
	'401 rejected/missing_signature', 'missing');
is(counted('/dedup', hook('/dedup', id => 1)), '200 passed/none', 'claimed');
is(counted('/dedup', hook('/dedup', id => 1)),
	'200 duplicate/already_delivered', 'duplicate');
is(counted('/dedup', hook('/dedup', id => undef)), '200 passed/missing_id',
	'without an id');
is(counted('/events', hook('/events')), '200 ignored/event_type', 'ignored');
is(counted('/dry', hook('/dry', key => 'wrong'), 'dry_run'),
	'200 rejected/signature_mismatch', 'dry run - rejected');
is(counted('/dry', hook('/dry'), 'dry_run'), '200 passed/none',
	'dry run - passed');
is(counted('/off', hook('/off'), 'none'), '200', 'not verified');
is(counted('/denied', hook('/denied'), 'none'), '403',
	'denied by others');
is(counted('/asks', hook('/asks')), '200 passed/none', 'with a subrequest');

# places of one name

hook('/one');
hook('/two');
is(becomes(2, 'requests_total', place => 'both of \"them\"',
	reason => 'none'), 2, 'two locations, one place');

# last requests, secrets

is(metric('last_request_timestamp_seconds', place => 'hooks.example.com/plain',
	outcome => 'passed'), $now, 'last - passed');
is(metric('last_request_timestamp_seconds', place => 'hooks.example.com/plain',
	outcome => 'ignored'), undef, 'last - never');

hook('/plain', key => $secret{new});
is(join(' ', map { becomes(1, 'secret_matches_total', secret => $_,
	place => 'hooks.example.com/plain') } 1, 2), '1 1', 'secrets');

# ages

my @ages = (0, 1, 2, 100, -1, -2, -200);

deliver('stripe', $secret{old}, '{}', uri => '/stripe', ts => $now - $_)
	foreach @ages;

# what is refused has none

deliver('stripe', $secret{old}, '{}', uri => '/stripe', ts => $now - 101);
deliver('stripe', 'wrong', '{}', uri => '/stripe', ts => $now - 7);

becomes(2, 'requests_total', scheme => 'stripe', outcome => 'rejected');

is(join(' ', map { metric('event_age_seconds_bucket', le => $_) }
	qw/ 1 5 15 30 60 120 180 300 600 1800 3600 21600 86400 +Inf /),
	'2 3 3 3 3 4 4 4 4 4 4 4 4 4', 'ages');
is(metric('event_age_seconds_sum') . ' ' . metric('event_age_seconds_count',
	scheme => 'stripe'), '103 4', 'ages - sum');
is(join(' ', map { metric('event_ahead_seconds_bucket', le => $_) }
	qw/ 1 5 15 30 60 120 300 +Inf /), '1 2 2 2 2 2 3 3', 'ahead');
is(metric('event_ahead_seconds_sum') . ' '
	. metric('event_ahead_seconds_count'), '203 3', 'ahead - sum');
is(metric('event_age_seconds_count', scheme => 'nextpay'), undef,
	'no timestamp, no age');

# deliveries: those that were claimed, and answered

is(join(' ', metric('delivery_seconds_count', scheme => 'nextpay'),
	map { metric("dedup_${_}_total", zone => 'z') }
	qw/ claims committed freed evicted lost forgotten /),
	'1 1 1 0 0 0 0', 'deliveries');

$u->script(500, 'close');
hook('/dedup', id => 2);
hook('/dedup', id => 2);
is(join(' ', becomes(2, 'delivery_seconds_count', scheme => 'nextpay'),
	map { metric("dedup_${_}_total") } qw/ claims committed freed /),
	'2 3 1 2', 'deliveries - refused, and without an answer');

# a redirect is no second request

$u->script(500);
my $from = metric('requests_total');
is(hook('/redirect')->{status}, 401, 'redirect - judged again');
is(becomes(1, 'requests_total', place => 'hooks.example.com@other',
	scheme => 'stripe', outcome => 'rejected'), 1,
	'redirect - by the last verdict');
is(metric('requests_total') - $from, 1, 'redirect - counted once');
is(counted('/pages', hook('/pages', key => 'wrong')),
	'200 rejected/signature_mismatch', 'error page');

###############################################################################

# aborted: by the client, by its silence, by core

foreach my $uri ('/plain', '/pages') {
	my $c = request(uri => $uri, body => '{', length => 10, headers =>
		[ sign('nextpay', $secret{old}, '{') ], send_only => 1);
	$t->wait_access($uri);
	$c->abort();

	waits_for(1, $uri, 'aborted', 'client');

	$c = request(uri => $uri, body => '{', length => 10, headers =>
		[ sign('nextpay', $secret{old}, '{') ]);
	waits_for(2, $uri, 'aborted', 'timeout');

	request(uri => $uri, body => "x\r\n", headers =>
		[ sign('nextpay', $secret{old}, '{'),
		[ 'Transfer-Encoding', 'chunked' ] ], length => undef);
	waits_for(3, $uri, 'aborted', 'no chunk');
}

request(uri => '/small', body => 'x' x 2048, chunked => 1,
	headers => [ sign('nextpay', $secret{old}, 'x') ]);
waits_for(1, '/small', 'aborted', 'too large');

request(uri => '/small', body => 'x' x 2048,
	headers => [ sign('nextpay', $secret{old}, 'x') ]);
waits_for(2, '/small', 'aborted', 'said to be too large');

request(uri => '/pages', body => 'x' x 2048, chunked => 1,
	headers => [ sign('nextpay', $secret{old}, 'x') ]);
waits_for(4, '/pages', 'aborted', 'too large, error page');

###############################################################################

# in flight, and waiting

$u->reset()->on(qr!^/!, 'hang');

my $one = hook('/wait', id => 'w', send_only => 1);
$u->wait_for(1);
is(metric('dedup_in_flight', zone => 'z'), 1, 'in flight');

my $two = hook('/wait', id => 'w', send_only => 1);
ok(wait_until(sub { metric('waiting_requests') == 1 }), 'waiting');

# a client that does not wait

my $three = hook('/wait', id => 'w', send_only => 1);
ok(wait_until(sub { metric('waiting_requests') == 2 }), 'waiting - two');
$three->abort();
waits_for(1, '/wait', 'aborted', 'waiting');
is(metric('waiting_requests'), 1, 'waiting - one has left');

$u->release();
is(answered($one->response()) . ', ' . answered($two->response()),
	'200, 200 duplicate', 'released');
is(metric('waiting_requests') . metric('dedup_in_flight'), '00',
	'nobody is left');

# a process that is killed leaves nothing behind

$u->reset()->on(qr!^/!, 'hang');

my @c = map { hook('/wait', id => "k$_", send_only => 1) } 1 .. 3;
$u->wait_for(3);
push @c, map { hook('/wait', id => "k$_", send_only => 1) } 1 .. 3;
ok(wait_until(sub { metric('waiting_requests') == 3 }), 'killed - before');
is(metric('dedup_in_flight'), 3, 'killed - in flight');

my @pids = $t->workers();
kill 'KILL', @pids;
$_->close() foreach @c;
ok(wait_until(sub { my %old = map { $_ => 1 } @pids;
	my @new = $t->workers(); @new == 4 && !grep { $old{$_} } @new }),
	'killed - successors');
is(metric('waiting_requests') . metric('dedup_in_flight'), '00',
	'killed - nothing is left');
is(metric('requests_total', place => 'hooks.example.com/plain',
	reason => 'none', outcome => 'passed'), 2, 'killed - counters live');

$u->reset();

###############################################################################

# several processes

my $before = metric('requests_total', place => 'hooks.example.com/plain',
	outcome => 'passed');
my @clients = map { client() } 1 .. 40;

foreach my $round (1 .. 10) {
	hook('/plain', client => $_, send_only => 1) foreach @clients;
	$_->response() foreach @clients;
}

waits_for($before + 400, '/plain', 'passed', '400 requests, 4 processes');
$_->close() foreach @clients;

###############################################################################

# what the log says of a place, and of an event

$t->stop();

is(($t->logged('/plain'))[0], 'hooks.example.com/plain|', 'log - place');
is(($t->logged('/off'))[0], '|', 'log - no place');
is(($t->logged('/one'))[0], 'both of \x22them\x22|', 'log - name of a place');

# as any server computes it: each part with its length

my @ids = map { /\|(.*)/ } $t->logged('/dedup');
my $text = join '', map { pack('Q<', length) . $_ }
	'nextpay', 'location', 'hooks.example.com', '/dedup', 1;

is(substr($ids[0], 0, 32), substr(Digest::SHA::sha256_hex($text), 0, 32),
	'log - id');
is($ids[1], $ids[0], 'log - id of a duplicate');
is($ids[2], '', 'log - no id');

$t->run();
is(metric('requests_total'), 0, 'a restart begins at zero');

###############################################################################

sub hook {
	my ($uri, %opts) = @_;

	my $id = exists $opts{id} ? delete $opts{id} : 'a';
	my $key = delete $opts{key} || $secret{old};
	my $body = '{"type":"other"' . (defined $id ? ",\"id\":\"$id\"}" : '}');

	return deliver('nextpay', $key, $body, uri => $uri, %opts);
}

# what was counted since it was asked for last, behind the status

my %last;

sub counted {
	my ($uri, $r, $mode) = @_;

	my (%now, @new);

	# the answer may be there before the request is logged

	$r->{client}->close();
	sleep 0.3 if $mode && $mode eq 'none';

	wait_until(sub {
		%now = requests_of($uri, $mode);
		@new = grep { $now{$_} != ($last{$uri}{$_} || 0) }
			sort keys %now;
		return @new || $mode && $mode eq 'none';
	});

	$last{$uri} = \%now;

	return join ' ', $r->{status},
		map { s/.*outcome="(.*)",reason="(.*)"\}/$1\/$2/r } @new;
}

sub requests_of {
	my ($uri, $mode) = @_;

	$mode = 'enforce' if !$mode or $mode eq 'none';

	my %metrics = metrics();

	return map { $_ => $metrics{$_} } grep { $metrics{$_}
		and /^requests_total\{place="hooks\.example\.com\Q$uri\E",.*mode="$mode"/ }
		keys %metrics;
}

# a metric, once it is that

sub becomes {
	my ($n, $name, %labels) = @_;

	my $got;

	wait_until(sub {
		$got = metric($name, %labels);
		return defined $got && $got eq $n;
	});

	return $got;
}

sub waits_for {
	my ($n, $uri, $outcome, $name) = @_;

	my $got;

	wait_until(sub {
		$got = metric('requests_total', outcome => $outcome,
			place => "hooks.example.com$uri") || 0;
		return $got >= $n;
	});

	is($got, $n, "$uri - $outcome, $name");
}

sub version {
	$t->configure_args() =~ m!nginx version: \S+?/(\S+)!;
	return $1;
}

###############################################################################
