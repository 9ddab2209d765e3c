#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for internal redirects and named locations: none lets an unverified
# body through, none changes a verdict, none makes a request its own
# duplicate, and the outcome is that of the last upstream.

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
my $other = 'other-secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(295);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    client_max_body_size   8m;
    webhook_json_max_size  8m;

    # 8082 is another upstream, nobody listens on 8083

    upstream next {
        server  127.0.0.1:8082 max_fails=0;
        server  127.0.0.1:8081 max_fails=0 backup;
    }

    upstream refused {
        server  127.0.0.1:8083 max_fails=0;
        server  127.0.0.1:8081 max_fails=0 backup;
    }

    webhook_secret  $secret;

    server {
        listen       127.0.0.1:8080;
        server_name  memory;

        client_body_buffer_size  2m;

        include  locations.conf;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  file;

        client_body_in_file_only  clean;

        include  locations.conf;
    }

    # error pages are verified like everything else

    server {
        listen       127.0.0.1:8080;
        server_name  inherits;

        webhook_verify  nextpay;
        webhook_dedup   zone=events key=inherits;

        error_page  401          /401.html;
        error_page  500 502 504  /50x.html;

        proxy_intercept_errors  on;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /refused {
            proxy_pass  http://127.0.0.1:8083;
        }

        location = /401.html {
            root  %%TESTDIR%%/html;
        }

        location = /50x.html {
            root  %%TESTDIR%%/html;
        }
    }
}

EOF

$t->write_file_expand('locations.conf', <<"EOF");

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        # where refusals go

        location /refuse/uri {
            webhook_verify  nextpay;
            error_page      401 /plain;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /refuse/named {
            webhook_verify  nextpay;
            error_page      401 \@plain;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /refuse/other {
            webhook_verify  nextpay;
            error_page      401 = \@other;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /refuse/unbuffered {
            webhook_verify  nextpay;
            error_page      401 = \@unbuffered;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /refuse/ok {
            webhook_verify  nextpay;
            error_page      401 =200 /html/ok.html;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /refuse/verified {
            webhook_verify  nextpay;
            error_page      401 /a;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /refuse/second {
            webhook_verify  nextpay;
            error_page      401 = /b;
            proxy_pass      http://127.0.0.1:8081;

            recursive_error_pages  on;
        }

        location = /plain {
            proxy_pass  http://127.0.0.1:8081;
        }

        location \@plain {
            proxy_pass  http://127.0.0.1:8081;
        }

        location \@other {
            proxy_pass  http://127.0.0.1:8082;
        }

        location \@unbuffered {
            proxy_request_buffering  off;
            proxy_http_version       1.1;

            proxy_pass  http://127.0.0.1:8082;
        }

        location /html {
        }

        # from here ...

        location /verified {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /try/off/a {
            try_files  /nonexistent /a;
        }

        location /try/off/b {
            try_files  /nonexistent /b;
        }

        location /try/off/named {
            try_files  /nonexistent \@a;
        }

        location /try/on/plain {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent /plain;
        }

        location /try/on/named {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent \@plain;
        }

        location /try/on/a {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent /a;
        }

        location /try/on/a-named {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent \@a;
        }

        location /try/on/b {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent /b;
        }

        location /try/on/elsewhere {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=elsewhere;
            try_files       /nonexistent /a;
        }

        location /rewrite/a {
            rewrite  ^ /a last;
        }

        location /rewrite/b {
            rewrite  ^ /b last;
        }

        location /dir/ {
            root   %%TESTDIR%%;
            index  hook;
        }

        location = /dir/hook {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            proxy_pass      http://127.0.0.1:8081;
        }

        # ... to here

        location /a {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            proxy_pass      http://127.0.0.1:8082;
        }

        location \@a {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            proxy_pass      http://127.0.0.1:8082;
        }

        location /b {
            webhook_verify  nextpay;
            webhook_secret  $other;
            webhook_dedup   zone=events key=b;
            proxy_pass      http://127.0.0.1:8082;
        }

        # outcomes

        location /fallback {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            error_page      502 504 = \@other;
            proxy_pass      http://127.0.0.1:8083;
        }

        location /fallback/uri {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            error_page      502 504 = /a;
            proxy_pass      http://127.0.0.1:8083;
        }

        location /intercept {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            error_page      500 404 =200 /html/ok.html;
            proxy_pass      http://127.0.0.1:8081;

            proxy_intercept_errors  on;
        }

        location /rewritten {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            error_page      500 =200 /html/ok.html;
            error_page      502 =200 /html/ok.html;
            proxy_pass      http://127.0.0.1:8083;
        }

        location /next {
            webhook_verify       nextpay;
            webhook_dedup        zone=events key=k;
            proxy_next_upstream  error http_500 non_idempotent;
            proxy_pass           http://next;
        }

        location /next/refused {
            webhook_verify       nextpay;
            webhook_dedup        zone=events key=k;
            proxy_next_upstream  error http_500 non_idempotent;
            proxy_pass           http://refused;
        }

        location /return/200 {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent \@200;
        }

        location /return/500 {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent \@500;
        }

        location /return/404 {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            try_files       /nonexistent =404;
        }

        location \@200 {
            return  200  ok;
        }

        location \@500 {
            return  500;
        }

        location /static {
            webhook_verify  nextpay;
            webhook_dedup   zone=events key=k;
            alias           %%TESTDIR%%/html;
        }

EOF

mkdir $t->testdir() . "/$_" foreach qw/ html dir /;
$t->write_file("html/$_.html", "this is $_\n") foreach qw/ ok 401 50x /;
$t->write_file('dir/hook', '');

my $u = upstream(8081);
my $u2 = upstream(8082);

$t->run();

my $n = 0;

###############################################################################

# A refused body reaches nobody, whether it was read or not.  An error page
# that is proxied is asked for without it.

foreach my $where (qw/ uri named other unbuffered /) {
	foreach my $case (
		[ 'small' ],
		[ 'large' ],
		[ 'file', host => 'file' ],
		[ 'chunked', chunked => [ 3 ] ],
		[ 'large, chunked', chunked => [ 3, 100000 ] ],
		[ 'pieces', pieces => [ 5 ] ],
		[ 'file, large', host => 'file' ],
	) {
		my ($name, %opts) = @$case;
		my $body = event($name =~ /large/ ? 600000 : 0);

		foreach my $why (qw/ forged unsigned /) {
			reset_upstreams();

			my $r = hook("/refuse/$where", $body, host => 'memory',
				%opts, $why => 1);

			my @seen = ($u->requests(), $u2->requests());
			my $leaked = grep { length $_->{body} } @seen;
			my $cut = grep { $_->{state} ne 'complete' } @seen;

			is(join(' ', answered($r), "$leaked leaked",
				"$cut incomplete"), ($where =~ /uri|named/
				? '401' : '200') . ' 0 leaked 0 incomplete',
				"$where - $why $name");
		}
	}

	is(answered(hook("/refuse/$where", event())), 200,
		"$where - genuine");
}

# and an unread one that is yet to come: what asks for it in vain hangs

foreach my $where (qw/ uri named other unbuffered /) {
	reset_upstreams();

	my $body = event();

	my $c = request(uri => "/refuse/$where", host => 'memory', body => '',
		length => length $body, send_only => 1, keepalive => 1);
	my $r = $c->response(timeout => 10);

	is(answered($r), $where =~ /uri|named/ ? 401 : 200,
		"$where - answered before the body");

	$c->send($body);
	$c->closed(0.05);

	is(scalar(grep { length $_->{body} or $_->{state} ne 'complete' }
		$u->requests(), $u2->requests()), 0,
		"$where - body comes late");
}

# the rest of a connection is not taken for a request

foreach my $where (qw/ uri named other ok /) {
	foreach my $why (qw/ forged unsigned /) {
		reset_upstreams();

		my $smuggled = "POST /plain HTTP/1.1\r\nHost: memory\r\n"
			. "Content-Length: 0\r\n\r\n";

		my $r = hook("/refuse/$where", $smuggled x 10, $why => 1,
			keepalive => 1);
		my $c = $r->{client};

		my $next = $c->closed(0.01) ? undef
			: request(client => $c, uri => '/x', host => 'memory',
				timeout => 5);

		ok(!$next || !$next->{status} || $next->{status} == 200,
			"$where - $why, connection");
		is(scalar(grep { length $_->{body} } $u->requests(),
			$u2->requests()), 0, "$where - $why, smuggled");
		cmp_ok($u->count() + $u2->count(), '<=', 2,
			"$where - $why, requests");
	}
}

foreach my $why (qw/ forged unsigned /) {
	reset_upstreams();

	my $r = hook('/refuse/ok', event(), $why => 1);

	is("$r->{status} $r->{body} " . seen(), "200 this is ok\n 0 0",
		"static page - $why");

	# the page would be verified too

	$r = hook('/refuse/verified', event(), $why => 1);
	is("$r->{status} " . seen(), '401 0 0', "verified page - $why");
}

# refused here, and genuine there

reset_upstreams();
my $body = event();

is(answered(hook('/refuse/second', $body)) . ' ' . seen(), '200 1 0',
	'second secret - first is right');
is(answered(hook('/refuse/second', event(), forged => 1)) . ' ' . seen(),
	'401 1 0', 'second secret - none is right');

###############################################################################

# into a location that verifies: from the stored body

foreach my $host (qw/ memory file /) {
	foreach my $from ('/try/off/a', '/try/off/named', '/rewrite/a') {
		foreach my $size (0, 600000, 5000000) {
			reset_upstreams();

			my $name = "$from, $host, $size";
			my $body = event($size);

			is(answered(hook($from, $body, host => $host,
				forged => 1)) . ' ' . seen(), '401 0 0',
				"$name - forged");
			is(answered(hook($from, $body, host => $host)) . ' '
				. seen(), '200 0 1', "$name - genuine");
			is($u2->last()->{body} eq $body, 1, "$name - body");
			is(answered(hook($from, $body, host => $host)) . ' '
				. seen(), '200 duplicate 0 1',
				"$name - duplicate");
		}
	}
}

foreach my $from ('/try/off/b', '/rewrite/b') {
	reset_upstreams();

	is(answered(hook($from, event())) . ' ' . seen(), '401 0 0',
		"$from - secret of another location");
	is(answered(hook($from, event(), secret => $other)) . ' ' . seen(),
		'200 0 1', "$from - secret of this location");
}

# by an answer of an upstream that may have the body unverified

foreach my $host (qw/ memory file /) {
	foreach my $size (0, 600000) {
		my $name = "X-Accel-Redirect, $host, $size";
		my $body = event($size);

		foreach my $to ('/a', '@a') {
			reset_upstreams();
			$u->answer(accel($to));
			$body = event($size);

			is(answered(hook('/open', $body, host => $host,
				forged => 1)) . ' ' . seen(), '401 1 0',
				"$name to $to - forged");
			is(answered(hook('/open', $body, host => $host)) . ' '
				. seen(), '200 2 1', "$name to $to - genuine");
			is($u2->last()->{body} eq $body, 1,
				"$name to $to - body");
			is(answered(hook('/open', $body, host => $host)) . ' '
				. seen(), '200 duplicate 3 1',
				"$name to $to - duplicate");
		}
	}
}

# by the index module, whose redirect is one of the content phase

reset_upstreams();
$body = event();

is(answered(hook('/dir/', $body, forged => 1)) . ' ' . seen(), '401 0 0',
	'index - forged');
is(answered(hook('/dir/', $body)) . ' ' . seen(), '200 1 0',
	'index - genuine');
is(answered(hook('/dir/', $body)) . ' ' . seen(), '200 duplicate 1 0',
	'index - duplicate');

###############################################################################

# from one that verifies: one verdict, one claim

foreach my $case (
	[ '/try/on/plain', '1 0' ],
	[ '/try/on/named', '1 0' ],
	[ '/try/on/a', '0 1' ],
	[ '/try/on/a-named', '0 1' ],
	[ '/try/on/elsewhere', '0 1' ],
) {
	my ($from, $seen) = @$case;

	foreach my $host (qw/ memory file /) {
		reset_upstreams();
		$body = event();

		is(answered(hook($from, $body, host => $host, forged => 1))
			. ' ' . seen(), '401 0 0', "$from, $host - forged");
		is(answered(hook($from, $body, host => $host)) . ' ' . seen(),
			"200 $seen", "$from, $host - genuine");
		is(($u->requests(), $u2->requests())[0]{body}, $body,
			"$from, $host - body");
		is(answered(hook($from, $body, host => $host)) . ' ' . seen(),
			"200 duplicate $seen", "$from, $host - duplicate");
	}
}

foreach my $to ('/a', '@a', '/plain', '/html/ok.html') {
	reset_upstreams();
	$u->answer(accel($to));
	$u->on(qr!^/plain!, 200);
	$body = event();

	is(answered(hook('/verified', $body, forged => 1)) . ' ' . seen(),
		'401 0 0', "X-Accel-Redirect to $to - forged");
	is(answered(hook('/verified', $body)), 200,
		"X-Accel-Redirect to $to - genuine");
	is(answered(hook('/verified', $body)), '200 duplicate',
		"X-Accel-Redirect to $to - duplicate");
	is($u->count() + $u2->count(), $to =~ /html/ ? 1 : 2,
		"X-Accel-Redirect to $to - requests");
}

# the status was that of the upstream

reset_upstreams();
$u->script({ %{accel('/html/ok.html')}, status => 500 });
$body = event();

hook('/verified', $body);
is(answered(hook('/verified', $body)) . ' ' . seen(), '200 2 0',
	'X-Accel-Redirect with 500 - freed');

# an upstream that accepts has accepted, whoever answers

reset_upstreams();
$u->script(accel('/a'));
$u2->script(500);
$body = event();

is(join(', ', map { answered(hook('/verified', $body)) } 1 .. 3),
	'500, 200 duplicate, 200 duplicate',
	'X-Accel-Redirect - done before it fails');

# another secret: verified anew, and the claim of before is not kept

reset_upstreams();
$u->script(accel('/b'));
$body = event();

is(answered(hook('/try/on/b', $body)) . ' ' . seen(), '401 0 0',
	'try_files to another secret');
is(answered(hook('/verified', $body)) . ' ' . seen(), '401 1 0',
	'X-Accel-Redirect to another secret');
is(answered(hook('/b', $body, secret => $other)) . ' ' . seen(), '200 1 1',
	'another secret - nothing was taken');

$body = event();

is(answered(hook('/try/on/b', $body)) . ', '
	. answered(hook('/verified', $body)), '401, 200',
	'another secret - freed');

###############################################################################

# outcomes

foreach my $from ('/fallback', '/fallback/uri') {
	reset_upstreams();
	$body = event();

	is(answered(hook($from, $body)) . ', ' . answered(hook($from, $body))
		. ' ' . seen(), '200, 200 duplicate 0 1',
		"$from - last one accepts");
	is($u2->last()->{body}, $body, "$from - body");

	$u2->script(500);
	$body = event();

	is(join(', ', map { answered(hook($from, $body)) } 1 .. 3),
		'500, 200, 200 duplicate', "$from - last one fails");
}

reset_upstreams();
$u->script(500, 404);
$body = event();

is(join(', ', map { answered(hook('/intercept', $body)) } 1 .. 4) . ' '
	. seen(), '200, 200, 200, 200 duplicate 3 0',
	'intercepted, rewritten to 200 - freed');

$body = event();

is(join(', ', map { answered(hook('/rewritten', $body)) } 1 .. 2),
	'200, 200', 'refused by upstream, rewritten to 200 - freed');

# several upstreams

reset_upstreams();
$u2->script(500);
$body = event();

is(join(', ', map { answered(hook('/next', $body)) } 1 .. 2) . ' ' . seen(),
	'200, 200 duplicate 1 1', 'next upstream accepts');
is($u->last()->{body}, $body, 'next upstream - body');

reset_upstreams();
$u->script(500);
$u2->script(500);
$body = event();

is(join(', ', map { answered(hook('/next', $body)) } 1 .. 3) . ' ' . seen(),
	'500, 200, 200 duplicate 1 2', 'next upstream fails');

reset_upstreams();
$body = event();

is(join(', ', map { answered(hook('/next/refused', $body)) } 1 .. 2) . ' '
	. seen(), '200, 200 duplicate 1 0', 'first upstream refuses');

# none: the final status

foreach my $case (
	[ '/return/200', '200, 200 duplicate' ],
	[ '/return/500', '500, 500' ],
	[ '/return/404', '404, 404' ],
	[ '/static/ok.html', '405, 405' ],
	[ '/static/ok.html', '200, 200 duplicate', method => 'GET' ],
	[ '/static/none.html', '404, 404', method => 'GET' ],
) {
	my ($uri, $verdict, %opts) = @$case;
	$body = event();

	is(join(', ', map { answered(hook($uri, $body, %opts)) } 1 .. 2),
		$verdict, "no upstream - $uri, " . ($opts{method} || 'POST'));
}

###############################################################################

# error pages that inherit

reset_upstreams();
$u->script(500);
$body = event();

my $r = hook('/', $body, host => 'inherits');

is("$r->{status} $r->{body}", "500 this is 50x\n", 'inherited - page of 500');
is(join(', ', map { answered(hook('/', $body, host => 'inherits')) } 1 .. 2),
	'200, 200 duplicate', 'inherited - freed');

$body = event();
$r = hook('/refused', $body, host => 'inherits');

is("$r->{status} $r->{body}", "502 this is 50x\n", 'inherited - page of 502');
is(answered(hook('/', $body, host => 'inherits')), 200,
	'inherited - freed, too');

reset_upstreams();

foreach my $why (qw/ forged unsigned /) {
	is(answered(hook('/', event(), host => 'inherits', $why => 1)) . ' '
		. seen(), '401 0 0', "inherited - $why");
}

###############################################################################

sub event {
	my ($size) = @_;

	return sprintf '{"id":"e%d","x":"%s"}', ++$n, 'x' x ($size || 0);
}

# What is forged has the right id, and one byte too many; what is unsigned is
# refused before its body is read.

sub hook {
	my ($uri, $body, %opts) = @_;

	my @headers = sign('nextpay', $opts{secret} || $secret, $body);

	return request(host => 'memory', timeout => 10, %opts, uri => $uri,
		body => $opts{forged} ? "$body " : $body,
		headers => $opts{unsigned} ? [] : \@headers);
}

sub seen {
	return join ' ', $u->count(), $u2->count();
}

sub reset_upstreams {
	$_->reset() foreach $u, $u2;
}

sub accel {
	my ($to) = @_;

	return { status => 200, headers => [ [ 'X-Accel-Redirect', $to ] ] };
}

###############################################################################
