#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the parameters of webhook_dedup: what becomes of events that
# cannot be told apart, of other bodies under a known id, and of events that
# find the zone full; leases, and statuses of answers.

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
my $start = 1764000000;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->allow(qr/\[alert\] .* exited on signal 9/)->plan(121);

my $head = <<"EOF";

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

EOF

my $locations = join "\n", map { <<"EOF" }
        location /$_->[0] {
            webhook_dedup  zone=$_->[1];
            proxy_pass     http://127.0.0.1:8081;
        }
EOF
	[ 'missing/default', 'events' ],
	[ 'missing/pass', 'events on_missing=pass' ],
	[ 'missing/reject', 'events on_missing=reject' ],
	[ 'mismatch/default', 'events' ],
	[ 'mismatch/duplicate', 'events on_mismatch=duplicate' ],
	[ 'mismatch/reject', 'events on_mismatch=reject' ],
	[ 'mismatch/pass', 'events on_mismatch=pass' ],
	[ 'full/default', 'default key=default' ],
	[ 'full/evict', 'evict on_full=evict key=evict' ],
	[ 'full/long', 'evict key=evict ttl=10d' ],
	[ 'full/reject', 'reject on_full=reject ttl=1h key=reject' ],
	[ 'full/pass', 'pass on_full=pass key=pass' ],
	[ 'full/claims', 'claims key=claims' ],
	[ 'lease/short', 'events lease=5s' ],
	[ 'lease/default', 'events' ],
	[ 'lease/day', 'events lease=1d' ];

my $zones = join "\n", map { "    webhook_dedup_zone  zone=$_;" }
	'events:1m', map { "$_:32k" } qw/ default evict reject pass claims /;

$t->write_file_expand('nginx.conf', $head . <<"EOF");
    log_format  verdict
        '"\$http_x_case" \$status "\$webhook_status" "\$webhook_reason"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

$zones

    webhook_in_flight_wait  0;

    keepalive_requests  100000;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;

        webhook_json_max_size  1k;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

$locations

        location /status {
            webhook_dedup             zone=events;
            webhook_duplicate_status  299;
            webhook_in_flight_status  409;
            proxy_pass                http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

# no id

foreach my $case (
	[ 'no id', '{"type":"a"}', 'missing_id' ],
	[ 'null', '{"id":null}', 'missing_id' ],
	[ 'no JSON', 'hello', 'invalid_json' ],
	[ 'empty', '', 'invalid_json' ],
	[ 'large', '{"id":"a","x":"' . 'x' x 1024 . '"}', 'json_too_large' ],
	[ 'long id', '{"id":"' . 'x' x 257 . '"}', 'id_too_long' ],
) {
	my ($name, $body, $reason) = @$case;

	foreach my $how (qw/ default pass reject /) {
		my $v = $how eq 'reject' ? '400' : '200 proxied';
		my $s = $how eq 'reject' ? 'REJECTED' : 'PASSED';

		is(join(', ', map { event("/missing/$how", $body, "$name $how")
			} 1 .. 2), "$v, $v", "$name - $how");
		is(logged("$name $how", 2), substr($v, 0, 3)
			. " \"$s\" \"$reason\"", "$name - $how, logged");
	}
}

foreach my $how (qw/ default pass reject /) {
	is(event("/missing/$how", '{"id":"a","id":"b"}', "twice $how"), '400',
		"ambiguous - $how");
	is(logged("twice $how"), '400 "REJECTED" "ambiguous_json"',
		"ambiguous - $how, logged");

	is(join(', ', map { event("/missing/$how", '{"id":"x"}') } 1 .. 2),
		'200 proxied, 200 duplicate', "an id - $how");
	is(event("/missing/$how", '{"type":"a"}', undef, forged => 1), '401',
		"forged - $how");
}

###############################################################################

# the same id, another body

foreach my $case (
	[ 'default', '200 duplicate', '"DUPLICATE" "already_delivered"' ],
	[ 'duplicate', '200 duplicate', '"DUPLICATE" "already_delivered"' ],
	[ 'reject', '422', '"REJECTED" "body_mismatch"' ],
	[ 'pass', '200 proxied', '"PASSED" "body_mismatch"' ],
) {
	my ($how, $verdict, $logged) = @$case;

	my $uri = "/mismatch/$how";
	my ($one, $two) = ('{"id":"m"}', '{"id":"m","n":2}');

	is(join(', ', map { event($uri, $_) } $one, $one),
		'200 proxied, 200 duplicate', "mismatch $how - same body");
	is(event($uri, $two, "m-$how"), $verdict, "mismatch $how");
	is(logged("m-$how"), substr($verdict, 0, 3) . " $logged",
		"mismatch $how - logged");
	is(join(', ', map { event($uri, $_) } $two, $one),
		"$verdict, 200 duplicate", "mismatch $how - changes nothing");
	is(event($uri, $two, undef, forged => 1), '401',
		"mismatch $how - forged");

	# as long as the first is not done, nothing is compared, and what has
	# failed is not compared with

	$u->script('hang');

	my $n = $u->count();
	my $c = event($uri, '{"id":"f"}', undef, send_only => 1);
	$u->wait_for($n + 1);

	is(event($uri, '{"id":"f","n":2}'), '503 retry 5',
		"mismatch $how - in flight");

	$u->release(1, 500);

	is($c->response()->{status} . ', ' . event($uri, '{"id":"f","n":3}')
		. ', ' . event($uri, '{"id":"f","n":3}'),
		'500, 200 proxied, 200 duplicate', "mismatch $how - failed");
}

###############################################################################

# A full zone.  By default, and with on_full=evict, what is done gives way.

$u->reset();

foreach my $how (qw/ default evict /) {
	$u->script(('hang') x 20);

	my $from = $t->log_pos();
	my $n = $u->count();

	my @c = map { event("/full/$how", "{\"id\":\"flight-$_\"}", undef,
		send_only => 1) } 1 .. 20;
	$u->wait_for($n + 20);

	my $c = client(port => 8080);
	my %n;

	$n{event("/full/$how", "{\"id\":\"e$_\"}", undef, client => $c)}++
		foreach 1 .. 1600;

	is(join(', ', map { "$n{$_} x $_" } sort keys %n),
		'1600 x 200 proxied', "$how - all proxied");

	is(join(', ', map { event("/full/$how", "{\"id\":\"flight-$_\"}") }
		1 .. 20), join(', ', ('503 retry 5') x 20),
		"$how - in flight are still");

	$u->release();
	$_->response() foreach @c;

	is(join(', ', map { event("/full/$how", "{\"id\":\"flight-$_\"}") }
		1 .. 20), join(', ', ('200 duplicate') x 20),
		"$how - and then done");

	# one second, one worker

	is(scalar $t->lines(qr/\[error\].*zone "$how" is full/, from => $from),
		1, "$how - one error");

	$t->clock($t->clock() + 1);

	event("/full/$how", "{\"id\":\"more-$_\"}", undef, client => $c)
		foreach 1 .. 50;

	is(scalar $t->lines(qr/\[error\].*zone "$how" is full/, from => $from),
		2, "$how - a second later");

	is(join(', ', map { event("/full/$how", "{\"id\":\"more-$_\"}", undef,
		client => $c) } 41 .. 50), join(', ', ('200 duplicate') x 10),
		"$how - the last are known");

	$c->close();
}

# those nearest to their end go

my $c = client(port => 8080);

$t->clock($t->clock() + 2 * 86400);

event('/full/long', "{\"id\":\"long-$_\"}", undef, client => $c)
	foreach 1 .. 200;
event('/full/evict', "{\"id\":\"short-$_\"}", undef, client => $c)
	foreach 1 .. 1600;

is(scalar(grep { event('/full/long', "{\"id\":\"long-$_\"}", undef,
	client => $c) eq '200 duplicate' } 1 .. 200), 200,
	'evict - nearest to the end');

# a zone that refuses, and one that lets pass

my $now = $t->clock();

foreach my $case (
	[ 'reject', '503 retry 5', '503 "UNAVAILABLE" "zone_full"' ],
	[ 'pass', '200 proxied', '200 "PASSED" "zone_full"' ],
) {
	my ($how, $verdict, $logged) = @$case;

	my ($n, $v, @known) = (0);

	# until the first that is not remembered

	while ($n++ < 3000) {
		my $body = "{\"id\":\"e$n\"}";

		$v = event("/full/$how", $body, undef, client => $c);
		last if $v ne '200 proxied';

		# what has passed may be unknown

		$v = event("/full/$how", $body, undef, client => $c)
			if $how eq 'pass';
		last if $v !~ /^200/ or $how eq 'pass'
			and $v ne '200 duplicate';

		push @known, $n if $n % 4 == 0;
	}

	cmp_ok($n, '>', 800, "$how - there is room for many");
	cmp_ok($n, '<', 2000, "$how - full");

	is(join(', ', map { event("/full/$how", "{\"id\":\"e$n\"}",
		"full-$how") } 1 .. 3), "$verdict, $verdict, $verdict",
		"$how - not remembered");
	is(logged("full-$how", 3), $logged, "$how - logged");

	is(event("/full/$how", "{\"id\":\"e$n\"}", undef, forged => 1), '401',
		"$how - forged");

	is(scalar(grep { event("/full/$how", "{\"id\":\"e$_\"}", undef,
		client => $c) ne '200 duplicate' } @known), 0,
		"$how - nothing is forgotten");
}

is(scalar $t->lines(qr/zone "(?:reject|pass)" is full.*forgotten/), 0,
	'nothing was evicted');

$t->clock($now + 3600);

is(join(', ', map { event('/full/reject', '{"id":"later"}') } 1 .. 2),
	'200 proxied, 200 duplicate', 'reject - room again');

$c->close();

# claims alone: nobody gives way

$u->reset()->answer('hang');

my @c;

foreach my $n (1 .. 200) {
	push @c, event('/full/claims', "{\"id\":\"e$n\"}", undef,
		send_only => 1);
}

$u->wait_for(200, timeout => 30);

is($u->count(), 200, 'claims');
is(join(', ', map { event('/full/claims', "{\"id\":\"e$_\"}") } 1, 100, 200),
	'503 retry 5, 503 retry 5, 503 retry 5', 'claims - in flight');

$u->answer(200);
$u->release();

is(scalar(grep { my $r = $_->response(); $r && $r->{status} == 200 } @c), 200,
	'claims - done');

$_->close() foreach @c;

###############################################################################

# leases: a worker dies

foreach my $case ([ 'short', 5 ], [ 'default', 30 ]) {
	my ($name, $lease) = @$case;

	$u->reset()->script('hang');
	$now = $t->clock();

	my $c = event("/lease/$name", '{"id":"a"}', undef, send_only => 1);
	$u->wait_for(1);

	my ($pid) = $t->workers();
	kill 'KILL', $pid;
	$u->wait_gone(1);
	wait_until(sub { my @w = $t->workers(); @w && $w[0] != $pid });

	$t->clock($now + $lease - 1);

	is(event("/lease/$name", '{"id":"a"}'), '503 retry 5',
		"lease $name - before its end");

	$t->clock($now + $lease);

	is(join(', ', map { event("/lease/$name", '{"id":"a"}') } 1 .. 2),
		'200 proxied, 200 duplicate', "lease $name - at its end");
}

# one that nginx accepts is one that holds

$u->reset()->script('hang');

$c = event('/lease/day', '{"id":"a"}', undef, send_only => 1);
$u->wait_for(1);

is(event('/lease/day', '{"id":"a"}'), '503 retry 5',
	'lease of a day - in flight');

$u->release();
is($c->response()->{status} . ', ' . event('/lease/day', '{"id":"a"}'),
	'200, 200 duplicate', 'lease of a day - done');

###############################################################################

# statuses

$u->reset()->script('hang');

$c = event('/status', '{"id":"a"}', undef, send_only => 1);
$u->wait_for(1);

is(event('/status', '{"id":"a"}'), '409 retry 5', 'webhook_in_flight_status');

$u->release();
is($c->response()->{status} . ', ' . event('/status', '{"id":"a"}'),
	'200, 299 duplicate', 'webhook_duplicate_status');

foreach my $case (
	[ 'webhook_duplicate_status', [ 200, 202, 299 ],
		[ 100, 199, 300, 409, '2xx', -200 ] ],
	[ 'webhook_in_flight_status', [ 400, 409, 425, 429, 503, 599 ],
		[ 200, 302, 399, 410, 600, 'off' ] ],
) {
	my ($directive, $good, $bad) = @$case;

	is(join(' ', grep { !($t->conf_test("$directive $_;",
		in => 'http'))[0] } @$good, @$bad), join(' ', @$good),
		$directive);
}

# a ttl that is too short for the window is raised, and that is said

foreach my $case (
	[ 'ttl=1m', 'webhook_tolerance 10m;', 1 ],
	[ 'ttl=9m', 'webhook_tolerance 10m;', 1 ],
	[ 'ttl=1h', 'webhook_tolerance 10m;', 0 ],
	[ 'ttl=1m', 'webhook_tolerance off;', 0 ],
	[ '', '', 0 ],
) {
	my ($ttl, $tolerance, $warned) = @$case;

	my ($status, $out) = $t->conf_test($head . <<"EOF");
    webhook_dedup_zone  zone=z:1m;

    server {
        listen  127.0.0.1:8080;

        location / {
            webhook_verify  stripe;
            webhook_secret  $secret;
            webhook_dedup   zone=z $ttl;
            $tolerance
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}
EOF

	my $said = $out =~ /\[warn\][^\n]*raised[^\n]*conf_test\.conf:\d+/;

	is("$status, " . ($said ? 1 : 0), "0, $warned",
		"raised - $ttl $tolerance");
}

###############################################################################

# What became of a delivery: the answer's status, "proxied" if it reached the
# upstream.  What is forged has the signature of something else.

sub event {
	my ($uri, $body, $case, %opts) = @_;

	my @event = (uri => $uri, %opts, body => $body, headers => [
		sign('nextpay', $secret, $opts{forged} ? "$body " : $body),
		defined $case ? [ 'X-Case', $case ] : () ]);

	return request(@event) if $opts{send_only};

	return came_of($u, sub { request(@event) });
}

# lines are written after the answer

sub logged {
	my %seen = map { $_ => 1 } $t->logged($_[0], count => $_[1]);
	return join ', ', sort keys %seen;
}

###############################################################################
