#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for requests that go on somewhere else before their verdict is there,
# or by other rules than those they were judged by: error pages of a body that
# could not be read, post_action, redirects between locations that verify alike
# and treat events differently.

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
my $token = 'token-0123456789abcdef';
my $whsec = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(157);

# Nothing here asks for ids and types but the rules of the locations: what
# they do not need is not looked for.

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

    webhook_in_flight_wait  0;

    webhook_scheme named from=nextpay {
        event_type  json:/type;
    }

    webhook_scheme token {
        algorithm  token;
        signature  \$http_x_token;
        event_id   body;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  memory;

        include  locations.conf;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  file;

        client_body_in_file_only  clean;

        include  locations.conf;
    }
}

EOF

$t->write_file_expand('locations.conf', <<"EOF");

        webhook_verify  named;
        webhook_secret  $secret;

        client_max_body_size  4k;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        # bodies that cannot be read

        location /read/named {
            error_page  413 400  \@page;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /read/uri {
            error_page  413 400  /page;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /read/unbuffered {
            error_page  413 400  \@unbuffered;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /read/inherits/static {
            error_page  413 400  /page.html;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /read/inherits/proxied {
            error_page  413 400  \@inherits;
            proxy_pass  http://127.0.0.1:8081;
        }

        # a page that sets the status: there is none of core's to answer with

        location /read/inherits/answers {
            error_page  413 400  = \@inherits;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /read/inherits/dedup {
            webhook_dedup  zone=events key=read;
            error_page     413 400  \@inherits;
            proxy_pass     http://127.0.0.1:8081;
        }

        location \@page {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;
        }

        location = /page {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;
        }

        location \@unbuffered {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;

            proxy_request_buffering  off;
            proxy_http_version       1.1;
        }

        location = /page.html {
            root  %%TESTDIR%%;
        }

        location \@inherits {
            proxy_pass  http://127.0.0.1:8082;
        }

        location /read/left {
            post_action  \@page;
            proxy_pass   http://127.0.0.1:8081;
        }

        location /read/left/inherits {
            post_action  \@inherits;
            proxy_pass   http://127.0.0.1:8081;
        }

        # post_action

        location /post/off {
            webhook_dedup  zone=events key=post;
            post_action    \@page;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /post/inherits {
            webhook_dedup  zone=events key=post;
            post_action    \@inherits;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /wait/off {
            webhook_dedup           zone=events key=wait;
            webhook_in_flight_wait  60s;

            post_action  \@page;
            proxy_pass   http://127.0.0.1:8081;
        }

        location /wait/inherits {
            webhook_dedup           zone=events key=wait;
            webhook_in_flight_wait  60s;

            post_action  \@inherits;
            proxy_pass   http://127.0.0.1:8081;
        }

        location /wait/first {
            webhook_dedup  zone=events key=wait;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /timer {
            webhook_verify      off;
            proxy_read_timeout  500ms;
            proxy_pass          http://127.0.0.1:8083;
        }

        # tokens: the body is not read without need

        location /token {
            webhook_verify  token;
            webhook_secret  $token;

            location /token/plain {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /token/try {
                try_files  /nonexistent /token/dedup;
            }

            location /token/dedup {
                webhook_dedup  zone=events key=token;
                proxy_pass     http://127.0.0.1:8081;
            }
        }

        # other rules

        location /to/dedup {
            try_files  /nonexistent \@dedup;
        }

        location /to/events {
            try_files  /nonexistent \@events;
        }

        location /to/both {
            try_files  /nonexistent \@both;
        }

        location /to/ignore {
            try_files  /nonexistent \@ignore;
        }

        location \@dedup {
            webhook_dedup  zone=events key=to;
            proxy_pass     http://127.0.0.1:8081;
        }

        location \@events {
            webhook_events  a.*;
            proxy_pass      http://127.0.0.1:8081;
        }

        location \@both {
            webhook_dedup   zone=events key=both;
            webhook_events  a.*;
            proxy_pass      http://127.0.0.1:8081;
        }

        location \@ignore {
            webhook_ignore  \$http_x_ignore;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /window {
            webhook_verify     standard-webhooks;
            webhook_secret     $whsec;
            webhook_tolerance  off;

            proxy_pass  http://127.0.0.1:8081;

            location /window/try {
                try_files  /nonexistent /window/judged;
            }

            location /window/judged {
                webhook_tolerance  5m;
                proxy_pass         http://127.0.0.1:8081;
            }
        }

        # a dry run, and then

        location /dry {
            webhook_dry_run  on;

            location /dry/rejected {
                try_files  /nonexistent \@dedup;
            }

            location /dry/dedup {
                webhook_dedup  zone=events key=dry;
                try_files      /nonexistent \@dedup;
            }

            location /dry/ignored {
                webhook_events  x.*;
                try_files       /nonexistent \@both;
            }

            location /dry/wanted {
                webhook_events  *;
                try_files       /nonexistent \@both;
            }

            location /dry/missing {
                webhook_dedup  zone=events key=dry;
                try_files      /nonexistent \@missing;
            }

            location /dry/large {
                webhook_dedup          zone=events key=dry;
                webhook_json_max_size  8;

                try_files  /nonexistent \@dedup;
            }
        }

        location /enforced {
            webhook_dedup  zone=events key=dry;
            proxy_pass     http://127.0.0.1:8081;
        }

        location \@missing {
            webhook_dedup  zone=events key=missing on_missing=reject;
            proxy_pass     http://127.0.0.1:8081;
        }

        # error pages of what is refused

        location /file {
            error_page  401 = \@file;
            proxy_pass  http://127.0.0.1:8081;
        }

        location \@file {
            webhook_verify    off;
            proxy_set_header  X-File \$request_body_file;
            proxy_pass        http://127.0.0.1:8082;
        }

        location /retry {
            webhook_dedup  zone=events key=retry;
            error_page     503 /page.html;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /retry/named {
            webhook_dedup  zone=events key=retry;
            error_page     503 \@inherits;
            proxy_pass     http://127.0.0.1:8081;
        }

EOF

$t->write_file('page.html', "this is a page\n");

my $u = upstream(8081);
my $u2 = upstream(8082);
my $u3 = upstream(8083);

$u3->answer('hang');

$t->run();

my $n = 0;

###############################################################################

# What core could not read ends with core's own status, and none of it is seen
# by anybody.

my %broken = (
	'too large' => [ 413, "1000\r\n" ],
	'bad chunk' => [ 400, "zz\r\n" ],
);

foreach my $host (qw/ memory file /) {
	foreach my $where (qw! named uri unbuffered inherits/static
		inherits/proxied inherits/answers inherits/dedup !)
	{
		foreach my $why (sort keys %broken) {
			my ($status, $rest) = @{$broken{$why}};
			my $body = "40\r\n" . 'leaked! ' x 8 . "\r\n";

			$status = '503 retry 5' if $where =~ /answers/;

			foreach my $later (0, 1) {
				reset_upstreams();

				my $r = cut("/read/$where", $host, $later,
					$body, $rest . 'leaked! ' x 8);

				is(answered($r) . ' ' . leaks() . ' '
					. seen(), "$status nothing "
					. ($where =~ /inherits/ ? '0 0' : '0 1'),
					"$where, $host - $why"
					. ($later ? ', later' : ''));
			}
		}
	}
}

is(answered(hook('/read/inherits/dedup', event())), 200,
	'broken bodies - what is whole is delivered');

# it is no fault of ours, and nobody has asked for a verdict

foreach my $why (sort keys %broken) {
	my ($status, $rest) = @{$broken{$why}};

	my $from = $t->log_pos();
	my $case = "case-$status";

	cut('/read/uri', 'memory', 0, "2\r\n{}\r\n", $rest . "{}", $case);

	is(logged($case), "$status \"\" \"\"", "$why - no verdict");
	is(scalar($t->lines(qr/internal_error/, from => $from)), 0,
		"$why - nothing logged");
}

# nor is the beginning of what the client did not end

foreach my $host (qw/ memory file /) {
	foreach my $later (0, 1) {
		my $name = "left in the body, $host" . ($later ? ', later' : '');

		reset_upstreams();
		my $case = left('/read/left', $host, $later);

		ok($u2->wait_for(1, timeout => 5), "$name - post_action");
		is(leaks() . ' ' . seen(), 'nothing 0 1', "$name - body");
		like(logged($case), qr/ "" ""$/, "$name - no verdict");

		reset_upstreams();

		$case = left('/read/left/inherits', $host, $later);
		isnt(logged($case), 'not logged', "$name - verified");
		is(leaks() . ' ' . seen(), 'nothing 0 0',
			"$name - verified, body");
	}
}

###############################################################################

# What is done after an event says nothing about it.

foreach my $where (qw/ off inherits /) {
	reset_upstreams();
	$u->script('hang');

	my $body = event();
	my $case = "post-$where";

	my $c = hook("/post/$where", $body, case => $case, send_only => 1);
	$u->wait_for(1);
	$c->abort();

	isnt(logged($case), 'not logged', "post_action $where - client left");
	is(seen(), '1 1', "post_action $where - both asked");
	is(twice("/post/$where", $body), '200, 200 duplicate',
		"post_action $where - freed");

	# the outcome was there before

	reset_upstreams();
	$u2->answer(500);
	$body = event();

	is(twice("/post/$where", $body), '200, 200 duplicate',
		"post_action $where - accepted");

	reset_upstreams();
	$u->script(500);
	$body = event();

	is(twice("/post/$where", $body), '500, 200',
		"post_action $where - failed");
}

# one that waited for the outcome of another, and left

foreach my $where (qw/ off inherits /) {
	reset_upstreams();
	$u->script('hang');
	$u2->script('hang') if $where eq 'off';

	my $body = event();
	my $case = "wait-$where";
	my $first = hook('/wait/first', $body, send_only => 1);
	$u->wait_for(1);

	my $c = hook("/wait/$where?$case", $body, case => $case,
		send_only => 1);
	$t->wait_access("/wait/$where?$case");

	my $from = $t->log_pos();
	$c->abort();

	if ($where eq 'off') {
		ok($u2->wait_for(1, timeout => 5), "$case - post_action");

	} else {
		isnt(logged($case), 'not logged', "$case - ended");
	}

	$u->release(1);
	is($first->response()->{status}, 200, "$case - first");

	# whatever timer it had is over before that of this one

	is(answered(hook('/timer', '')), 504, "$case - time goes by");

	is(scalar($t->lines(qr/already_delivered/, from => $from)), 0,
		"$case - is not judged");
	is(leaks() . ' ' . seen(), 'nothing 1 ' . ($where eq 'off' ? 1 : 0),
		"$case - requests");

	$u2->release();
	isnt(logged($case), 'not logged', "$case - logged");
	is(scalar(@{[ $t->lines(qr/^"$case"/, name => 'verdict.log') ]}), 1,
		"$case - logged once");
	is(twice("/wait/$where", $body), '200 duplicate, 200 duplicate',
		"$case - known");
}

###############################################################################

# tokens, whose body nobody has read yet

foreach my $host (qw/ memory file /) {
	foreach my $size (0, 2000) {
		my $name = "token, $host, $size";
		my %opts = (host => $host,
			headers => [ [ 'X-Token', $token ] ]);

		reset_upstreams();
		my $body = event($size);

		is(answered(hook('/token/plain', $body, %opts)) . ' '
			. seen(), '200 1 0', "$name - no dedup");
		is(($u->last() || {})->{body}, $body, "$name - body");

		is(join(', ', map { answered(hook('/token/try', $body,
			%opts)) } 1 .. 2) . ' ' . seen(),
			'200, 200 duplicate 2 0', "$name - redirected");
		is(($u->last() || {})->{body}, $body,
			"$name - body redirected");
	}
}

is(answered(hook('/token/plain', '', headers => [ [ 'X-Token', $token ] ])),
	200, 'token, no body');
is(answered(hook('/token/try', event(), headers => [ [ 'X-Token', 'x' ] ])),
	401, 'token, wrong');

###############################################################################

# where the event comes to, its rules are those of that place

foreach my $host (qw/ memory file /) {
	reset_upstreams();
	my $body = event();

	is(join(', ', map { answered(hook('/to/dedup', $body,
		host => $host)) } 1 .. 2) . ' ' . seen(),
		'200, 200 duplicate 1 0', "to dedup, $host");

	reset_upstreams();

	is(join(', ', map { answered(hook('/to/events', event(0, $_),
		host => $host)) } 'a.b', 'b.a') . ' ' . seen(),
		'200, 200 1 0', "to events, $host");

	reset_upstreams();
	$body = event(0, 'a.b');

	is(join(', ', map { answered(hook('/to/both', $_, host => $host)) }
		$body, $body, event(0, 'b.a')) . ' ' . seen(),
		'200, 200 duplicate, 200 1 0', "to both, $host");

	reset_upstreams();

	is(join(', ', map { answered(hook('/to/ignore', event(), host => $host,
		more => [ [ 'X-Ignore', $_ ] ])) } 0, 1) . ' ' . seen(),
		'200, 200 1 0', "to ignore, $host");
}

foreach my $case (
	[ 'fresh', 0, '200, 200, 200 3 0' ],
	[ 'stale', -3600, '200, 401, 401 1 0' ],
	[ 'future', 3600, '200, 401, 401 1 0' ],
) {
	my ($name, $ahead, $verdict) = @$case;

	reset_upstreams();
	my $body = event();
	my @headers = sign('standard-webhooks', $whsec, $body,
		ts => $t->now() + $ahead);

	is(join(', ', map { answered(hook($_, $body, headers => \@headers)) }
		'/window', '/window/try', '/window/judged') . ' ' . seen(),
		$verdict, "to a window - $name");
}

###############################################################################

# what a dry run has said does not count where there is none

foreach my $host (qw/ memory file /) {
	my %opts = (host => $host);

	reset_upstreams();
	my $body = event();

	is(join(', ', map { answered(hook('/dry/rejected', $body, %opts,
		forged => $_)) } 1, 0, 0) . ' ' . seen(),
		'401, 200, 200 duplicate 1 0', "dry run, rejected, $host");

	# known by the key of the dry run, and not by that of the other

	reset_upstreams();
	$body = event();

	is(join(', ', map { answered(hook($_, $body, %opts)) } '/enforced',
		'/enforced', '/dry/dedup', '/dry/dedup') . ' ' . seen(),
		'200, 200 duplicate, 200, 200 duplicate 2 0',
		"dry run, duplicate, $host");

	# by nobody

	reset_upstreams();
	$body = event();

	is(join(', ', map { answered(hook($_, $body, %opts)) } '/dry/dedup',
		'/dry/dedup', '/enforced') . ' ' . seen(),
		'200, 200 duplicate, 200 2 0', "dry run, new, $host");

	reset_upstreams();
	$body = event(0, 'a.b');

	is(join(', ', map { answered(hook('/dry/ignored', $_, %opts)) }
		$body, $body, event(0, 'x.y')) . ' ' . seen(),
		'200, 200 duplicate, 200 1 0', "dry run, ignored, $host");

	reset_upstreams();
	$body = event(0, 'a.b');

	is(join(', ', map { answered(hook('/dry/wanted', $_, %opts)) }
		$body, $body, event(0, 'x.y')) . ' ' . seen(),
		'200, 200 duplicate, 200 1 0', "dry run, wanted, $host");

	reset_upstreams();

	is(join(', ', map { answered(hook('/dry/missing', $_, %opts)) }
		'{"type":"a"}', event()) . ' ' . seen(), '400, 200 1 0',
		"dry run, no id, $host");

	reset_upstreams();
	$body = event();

	is(join(', ', map { answered(hook('/dry/large', $body, %opts)) }
		1 .. 2) . ' ' . seen(), '200, 200 duplicate 1 0',
		"dry run, too large, $host");
}

###############################################################################

# error pages of what is refused

foreach my $size (0, 3000) {
	reset_upstreams();

	is(answered(hook('/file', event($size), host => 'file', forged => 1))
		. ' ' . leaks() . ' ' . seen(), '200 nothing 0 1',
		"file, $size - refused");

	my $file = Test::Nginx::Upstream::header($u2->last() || {}, 'X-File');
	is($file, undef, "file, $size - is not told of");
}

reset_upstreams();
$u->script('hang');

my $body = event();
my $c = hook('/retry', $body, send_only => 1);
$u->wait_for(1);

foreach my $uri ('/retry', '/retry/named') {
	is(answered(hook($uri, $body)), '503 retry 5',
		"in flight - $uri, page is verified");
}

$u->release();
is($c->response()->{status}, 200, 'in flight - first');

###############################################################################

sub event {
	my ($size, $type) = @_;

	return sprintf '{"id":"e%d","type":"%s","x":"%s"}', ++$n,
		defined $type ? $type : 'a', 'x' x ($size || 0);
}

# What is forged has the right id, and one byte too many.

sub hook {
	my ($uri, $body, %opts) = @_;

	my @headers = $opts{headers} ? @{$opts{headers}}
		: sign('nextpay', $secret, $body);
	push @headers, @{$opts{more} || []};
	push @headers, [ 'X-Case', $opts{case} ] if defined $opts{case};

	return request(host => 'memory', timeout => 5, %opts, uri => $uri,
		body => $opts{forged} ? "$body " : $body,
		headers => \@headers);
}

# Two deliveries, with all that is done after them: nothing of it comes later.

sub twice {
	my ($uri, $body) = @_;

	my $case = 'twice-' . ++$n;
	my $answers = join ', ', map { answered(hook($uri, $body,
		case => $case)) } 1 .. 2;

	$t->wait_log(qr/^"$case" /, name => 'verdict.log', count => 2);

	return $answers;
}

# A chunked body that cannot be read to its end; its first part goes with the
# header, or once nginx has begun to read.

sub cut {
	my ($uri, $host, $later, $body, $rest, $case) = @_;

	my $c = begun($uri, $host, $later,
		[ [ 'Transfer-Encoding', 'chunked' ],
		defined $case ? [ 'X-Case', $case ] : () ], undef, $body, $rest);

	my $r = $c->response(timeout => 5);
	$c->abort();

	return $r;
}

# and one whose end does not come

sub left {
	my ($uri, $host, $later) = @_;

	my $case = 'left-' . ++$n;

	my $c = begun($uri, $host, $later, [ [ 'X-Case', $case ] ], 1000,
		'leaked! ' x 8, 'leaked! ' x 8);

	$c->pause(0.02);
	$c->close();

	return $case;
}

sub begun {
	my ($uri, $host, $later, $headers, $length, @pieces) = @_;

	my %opts = (uri => $uri, host => $host, send_only => 1,
		keepalive => 1, length => $length);
	my @headers = (@$headers, sign('nextpay', $secret, 'any'));

	return request(%opts, headers => \@headers, body => join '', @pieces)
		unless $later;

	my $c = request(%opts, body => '',
		headers => [ @headers, [ 'Expect', '100-continue' ] ]);

	$c->response(interim => 1, timeout => 5);

	foreach my $piece (@pieces) {
		$c->send($piece);
		$c->pause(0.02);
	}

	return $c;
}

# what is asked for on behalf of a request without a body says that it has none

sub leaks {
	my @leaks;

	foreach my $r ($u2->requests()) {
		my $length = Test::Nginx::Upstream::header($r,
			'Content-Length');
		my $coding = Test::Nginx::Upstream::header($r,
			'Transfer-Encoding');

		push @leaks, 'body' if length $r->{body};
		push @leaks, $r->{state} if $r->{state} ne 'complete';
		push @leaks, "length $length" if $length;
		push @leaks, $coding if defined $coding;
	}

	return @leaks ? "leaked: @leaks" : 'nothing';
}

sub seen {
	return join ' ', $u->count(), $u2->count();
}

sub reset_upstreams {
	$_->reset() foreach $u, $u2;
}

# lines are written when a request is over

sub logged {
	my ($line) = $t->logged(@_);
	return defined $line ? $line : 'not logged';
}

###############################################################################
