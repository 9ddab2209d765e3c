#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the place of the verification among what else nginx does with a
# request: other access modules decide before a body is read, subrequests are
# not verified, and locations inherit as they do everything else.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my @reject = (400, 403, 404, 409, 422, 451, 500, 503, 599);

my $t = Test::Nginx->new()->has(qw/http proxy rewrite access auth_basic
	auth_request mirror/)->plan(110);

my $reject = join "\n", map { <<"EOF" } @reject;
        location = /reject/$_ {
            webhook_reject_status  $_;
            proxy_pass             http://127.0.0.1:8081;
        }
EOF

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;
        webhook_dedup   zone=events key=k;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        # others decide first

        location /deny {
            deny        all;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /basic {
            auth_basic            webhooks;
            auth_basic_user_file  users;
            proxy_pass            http://127.0.0.1:8081;
        }

        location /request {
            auth_request  /auth;
            proxy_pass    http://127.0.0.1:8081;
        }

        location = /auth {
            internal;

            proxy_pass               http://127.0.0.1:8082;
            proxy_pass_request_body  off;
            proxy_set_header         Content-Length "";
        }

        location /except {
            limit_except GET {
                deny  all;
            }

            proxy_pass  http://127.0.0.1:8081;
        }

        # any of them

        location /any/allow {
            satisfy     any;
            allow       127.0.0.1;
            deny        all;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /any/deny {
            satisfy     any;
            deny        all;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /any/400 {
            satisfy     any;
            deny        all;
            proxy_pass  http://127.0.0.1:8081;

            webhook_reject_status  400;
        }

        # subrequests

        location /mirror {
            mirror      /mirrored;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /mirrored {
            internal;
            proxy_pass  http://127.0.0.1:8082;
        }

        location /mirror/off {
            webhook_verify  off;
            mirror          /mirrored;
            proxy_pass      http://127.0.0.1:8081;
        }

        # inheritance

        location /nested {
            proxy_pass  http://127.0.0.1:8081;

            location /nested/child {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /nested/off {
                webhook_verify  off;
                proxy_pass      http://127.0.0.1:8081;
            }

            location ~ ^/nested/regex/\\d+\$ {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /nested/secret {
                webhook_secret  other-$secret;
                proxy_pass      http://127.0.0.1:8081;
            }
        }

        location /if {
            proxy_pass  http://127.0.0.1:8081;

            if (\$arg_if) {
                proxy_pass  http://127.0.0.1:8082;
            }

            if (\$arg_set) {
                set  \$x  1;
            }
        }

        location ~ ^/regex/(.*)\$ {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /limit {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;

            limit_except GET {
                webhook_verify  nextpay;
                proxy_pass      http://127.0.0.1:8081;
            }
        }

        location /limit/off {
            proxy_pass  http://127.0.0.1:8081;

            limit_except POST {
                webhook_verify  off;
                proxy_pass      http://127.0.0.1:8081;
            }
        }

$reject
    }

    # nothing is verified here

    server {
        listen       127.0.0.1:8083;
        server_name  localhost;

        include  plain.conf;
    }
}

EOF

my $plain = <<'EOF';

        client_max_body_size  1m;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /stream {
            proxy_pass  http://127.0.0.1:8081;

            proxy_http_version       1.1;
            proxy_request_buffering  off;
        }

        location /return {
            return  200  "returned\n";
        }

        location /deny {
            deny        all;
            error_page  403 = @denied;
        }

        location @denied {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /html {
        }

        location /mirror {
            mirror      /mirrored;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /mirrored {
            internal;
            proxy_pass  http://127.0.0.1:8082;
        }

EOF

$t->write_file_expand('plain.conf', $plain);
$t->write_file('users', "hook:{PLAIN}pass\n");

mkdir $t->testdir() . '/html';
$t->write_file('html/a.html', "a\n");

my $u = upstream(8081);
my $u2 = upstream(8082);

$t->run();

my $n = 0;

###############################################################################

# only the header is sent, and all is decided

$u2->answer(403);

foreach my $case (
	[ '/deny', 403 ],
	[ '/basic', 401 ],
	[ '/request', 403, auth => 1 ],
	[ '/except', 403 ],
) {
	my ($uri, $status, %opts) = @$case;
	my $body = event();

	$u2->reset()->answer(403);

	my $c = hook($uri, $body, send_only => 1, keepalive => 1,
		length => length $body, header_only => 1);
	my $r = $c->response(timeout => 10);

	is($r && $r->{status}, $status, "$uri - decided before the body");
	is($u->count() . ' ' . $u2->count(), '0 ' . ($opts{auth} || 0),
		"$uri - not proxied");

	is(defined $r->header('WWW-Authenticate') ? 1 : 0,
		$uri eq '/basic' ? 1 : 0, "$uri - whose answer");

	is(sent($uri, event()), $status, "$uri - with a body");
}

$u2->answer(204);

my $basic = [ 'Authorization', 'Basic ' . encode_base64('hook:pass', '') ];

foreach my $case (
	[ '/basic', headers => [ $basic ] ],
	[ '/request' ],
	[ '/except', method => 'GET' ],
) {
	my ($uri, %opts) = @$case;
	my $body = event();

	is(join(', ', sent($uri, $body, %opts, forged => 1),
		sent($uri, $body, %opts), sent($uri, $body, %opts)),
		'401, 200 proxied, 200 duplicate', "$uri - allowed");
	is($u->last()->{body}, $body, "$uri - body");
}

# any of them suffices: an address that is allowed is not asked for more

my $body = event();

is(join(', ', sent('/any/allow', $body, forged => 1),
	sent('/any/allow', $body), sent('/any/allow', $body)),
	'200 proxied, 200 proxied, 200 proxied', 'satisfy any - address');
is(join(', ', sent('/any/deny', $body, forged => 1),
	sent('/any/deny', $body, unsigned => 1),
	sent('/any/deny', $body), sent('/any/deny', $body)),
	'401, 401, 200 proxied, 200 duplicate', 'satisfy any - webhook');

$body = event();

is(join(', ', sent('/any/400', $body, forged => 1),
	sent('/any/400', $body)), '400, 200 proxied',
	'satisfy any - other status');

###############################################################################

# subrequests are not verified

foreach my $length (10, 300000) {
	$_->reset() foreach $u, $u2;
	$body = event($length);

	is(sent('/mirror', $body, forged => 1) . ' ' . $u2->count(), '401 0',
		"mirror, $length - forged");
	is(sent('/mirror', $body), '200 proxied', "mirror, $length - genuine");
	ok($u2->wait_for(1), "mirror, $length - mirrored");
	is($u2->last()->{body} eq $body && $u->last()->{body} eq $body, 1,
		"mirror, $length - bodies");
	is(sent('/mirror', $body) . ' ' . $u2->count(), '200 duplicate 1',
		"mirror, $length - duplicate");
}

is(sent('/mirror/off', event(), forged => 1), '200 proxied',
	'mirror - from where nothing is verified');
ok($u2->wait_for(2), 'mirror - to where it would be');

is(sent('/auth', event()) . ' ' . sent('/mirrored', event()), '404 404',
	'internal locations');

###############################################################################

# inheritance

foreach my $uri ('/', '/nested', '/nested/child', '/nested/regex/1', '/if',
	'/if?set=1', '/regex/a')
{
	$body = event();

	is(join(', ', sent($uri, $body, forged => 1),
		sent($uri, $body, unsigned => 1), sent($uri, $body)),
		'401, 401, 200 proxied', "$uri - verified");
}

$_->reset() foreach $u, $u2;
$body = event();

is(sent('/if?if=1', $body, forged => 1) . ', ' . sent('/if?if=1', $body)
	. ' ' . $u2->count(), '401, 200 1', 'if - verified');

foreach my $opts ([ forged => 1 ], [ unsigned => 1 ], [ ], [ ]) {
	is(sent('/nested/off', $body, @$opts), '200 proxied',
		'off - not verified');
}

is(sent('/nested/secret', $body), '401', 'other secret - of the parent');
is(sent('/nested/secret', event(), secret => "other-$secret"), '200 proxied',
	'other secret - its own');

foreach my $case (
	[ 'GET', '200 proxied', '401' ],
	[ 'HEAD', '200 proxied', '401' ],
	[ 'POST', '401', '401', ],
	[ 'PUT', '401', '401' ],
) {
	my ($method, $limit) = @$case;
	$body = event();

	is(sent('/limit', $body, method => $method, forged => 1), $limit,
		"limit_except GET - forged $method");
	is(sent('/limit', $body, method => $method), '200 proxied',
		"limit_except GET - genuine $method");

	is(sent('/limit/off', event(), method => $method, forged => 1),
		$method eq 'POST' ? '401' : '200 proxied',
		"limit_except POST - forged $method");
}

# whatever the method

foreach my $method (qw/ GET HEAD POST PUT PATCH DELETE OPTIONS LINK /) {
	$body = event();

	is(join(', ', sent('/', $body, method => $method, forged => 1),
		sent('/', $body, method => $method, unsigned => 1),
		sent('/', '', method => $method, unsigned => 1),
		sent('/', $body, method => $method),
		sent('/', $body, method => $method)),
		'401, 401, 401, 200 proxied, 200 duplicate', $method);
	is($u->last()->{method} . ' ' . $u->last()->{body}, "$method $body",
		"$method - proxied");
}

# a genuine one without a body

is(join(', ', map { sent('/', '', method => $_) } qw/ GET POST /),
	'200 proxied, 200 proxied', 'no body');

# the status of refusals

foreach my $status (@reject) {
	$body = event();

	is(join(', ', sent("/reject/$status", $body, forged => 1),
		sent("/reject/$status", $body, unsigned => 1),
		sent("/reject/$status", $body)),
		"$status, $status, 200 proxied", "webhook_reject_status $status");
}

###############################################################################

# Where it is not used, the module changes nothing: the same answers, and the
# same bytes at the upstream, as without it.

my $without = do {
	local $Test::Nginx::MODULE = '';

	Test::Nginx->new()->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8084;
        server_name  localhost;

        include  plain.conf;
    }
}

EOF
};

$without->write_file_expand('plain.conf', $plain);

mkdir $without->testdir() . '/html';
$without->write_file('html/a.html', "a\n");

utime(1764000000, 1764000000, $_->testdir() . '/html/a.html')
	foreach $t, $without;

SKIP: {
	skip 'module is linked in', 20 if $Test::Nginx::MODULE eq '';

	$without->run();

	foreach my $case (
		[ 'POST', body => 'x' x 100 ],
		[ 'signed', headers => [ sign('nextpay', $secret, '{}') ],
			body => '{}' ],
		[ 'no body' ],
		[ 'chunked', body => 'x' x 1000, chunked => [ 1, 2, 3, 500 ] ],
		[ 'bytes', body => 'x' x 100, chunked => [ 10 ],
			pieces => 'bytes' ],
		[ 'large', body => 'x' x 500000 ],
		[ 'large, chunked', body => 'x' x 500000,
			chunked => [ 10, 300000 ] ],
		[ 'too large', body => 'x' x 2000000 ],
		[ 'HTTP/1.0', body => 'x' x 100, http => '1.0' ],
		[ 'keepalive', body => 'x' x 100, keepalive => 1 ],
		[ 'GET', method => 'GET' ],
		[ 'GET with a body', method => 'GET', body => 'x' x 100 ],
		[ 'HEAD', method => 'HEAD', head => 1 ],
		[ 'unbuffered', uri => '/stream', body => 'x' x 50000 ],
		[ 'unbuffered, chunked', uri => '/stream', body => 'x' x 50000,
			chunked => [ 100, 20000 ] ],
		[ 'return', uri => '/return', body => 'x' x 100 ],
		[ 'error_page', uri => '/deny', body => 'x' x 50000 ],
		[ 'static', uri => '/html/a.html', method => 'GET' ],
		[ 'static, POST', uri => '/html/a.html', body => 'x' ],
		[ 'mirror', uri => '/mirror', body => 'x' x 50000 ],
	) {
		my ($name, %opts) = @$case;

		my $with = plain(8083, %opts);
		my $got = plain(8084, %opts);

		is($with, $got, "not used - $name");
	}
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
	@headers = () if $opts{unsigned};

	return request(head => ($opts{method} || '') eq 'HEAD', %opts,
		uri => $uri,
		body => $opts{header_only} ? ''
			: $opts{forged} ? "$body " : $body,
		headers => [ @headers, @{$opts{headers} || []} ]);
}

sub sent {
	my ($uri, $body, %opts) = @_;
	return came_of($u, sub { hook($uri, $body, %opts) });
}

# all that client and upstreams saw, but the time and the port

sub plain {
	my ($port, %opts) = @_;

	$_->reset() foreach $u, $u2;

	my $r = request(%opts, port => $port);
	$u2->wait_for(1) if ($opts{uri} || '') eq '/mirror';

	(my $raw = $r->{raw}) =~ s/^(Date: ).*/$1/mg;

	return join "\n", $raw, $r->{complete}, map {
		($_->{method}, $_->{uri}, $_->{version}, $_->{body},
			map { "$_->[0]: $_->[1]" } @{$_->{headers}})
	} $u->requests(), $u2->requests();
}

###############################################################################
