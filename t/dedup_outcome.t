#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what counts as accepted: the upstream's own last status, whatever
# nginx makes of it, known before the sender has the first byte of an answer.

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

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite mirror/)->plan(63);

my $addition = $t->has_feature('addition') ? <<'EOF' : '';
        location /addition {
            add_after_body    /after;
            addition_types    *;
            proxy_pass        http://127.0.0.1:8081;
        }
EOF

my $conf = <<"EOF";

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone      zone=events:1m;
    webhook_in_flight_wait  0;

    log_format  outcome  '"\$request_uri" \$status';
    access_log  %%TESTDIR%%/outcome.log  outcome;

    upstream two {
        server  127.0.0.1:8081 max_fails=0;
        server  127.0.0.1:8083 backup max_fails=0;
    }

    upstream dead {
        server  127.0.0.1:8082 max_fails=0;
        server  127.0.0.1:8083 backup max_fails=0;
    }

    server {
        listen       127.0.0.1:8080 reuseport;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;
        webhook_dedup   zone=events key=events;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /hook {
            proxy_pass  http://127.0.0.1:8081;
        }

        # answers that are rewritten

        location /page/ {
            proxy_intercept_errors  on;
            proxy_pass              http://127.0.0.1:8081;

            location /page/ok {
                error_page  404 500 502 =200  /static/ok;
                proxy_pass  http://127.0.0.1:8081;
            }

            location /page/custom {
                error_page  500  /static/ok;
                proxy_pass  http://127.0.0.1:8081;
            }

            location /page/return {
                error_page  500 = \@return;
                proxy_pass  http://127.0.0.1:8081;
            }

            location /page/backup {
                error_page  500 = \@backup;
                proxy_pass  http://127.0.0.1:8081;
            }

            location /page/dead {
                error_page  502 =200  /static/ok;
                proxy_pass  http://127.0.0.1:8082;
            }

            location /page/bad {
                error_page  300 =500  /static/ok;
                proxy_pass  http://127.0.0.1:8081;
            }
        }

        location /static/ {
            internal;
            webhook_verify  off;
            alias           %%TESTDIR%%/;

            error_page  405 =200 /static/get;
            location /static/get {
                internal;
                webhook_verify  off;
                return  200 static;
            }
        }

        location \@return {
            webhook_verify  off;
            return          200 returned;
        }

        location \@backup {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8083;
        }

        # several upstreams

        location /next {
            proxy_next_upstream  error timeout http_500 non_idempotent;
            proxy_pass           http://two;
        }

        location /next/dead {
            proxy_next_upstream  error timeout http_500 non_idempotent;
            proxy_pass           http://dead;
        }

        location /next/off {
            proxy_next_upstream  off;
            proxy_pass           http://two;
        }

        # X-Accel-Redirect

        location /accel {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /internal/file {
            internal;
            webhook_verify  off;
            alias           %%TESTDIR%%/ok;
        }

        location /internal/proxy {
            internal;
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8083;
        }

        # other requests than the event's

        location /mirror {
            mirror      /copy;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /copy {
            internal;
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8083;
        }

$addition
        location /after {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8083;
        }

        # no upstream

        location /none/ {
            alias  %%TESTDIR%%/;

            location /none/rewritten {
                error_page  405 =200 /none/get;
                alias       %%TESTDIR%%/ok;
            }

            location /none/get {
                webhook_verify  off;
                return          200 got;
            }
        }

        # refused when the event has been let through

        location /late/try {
            try_files   /nosuch =404;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /late/resolve {
            proxy_pass  http://\$arg_to\$http_x_to;
        }

        location /unbuffered {
            proxy_buffering  off;
            proxy_pass       http://127.0.0.1:8081;
        }
    }
}

EOF

$t->write_file_expand('nginx.conf', $conf);
$t->write_file('ok', 'static');

my $u = upstream(8081);
my $v = upstream(8083);

$t->run();

###############################################################################

# What comes first is of the upstreams' scripts, the first one's and the
# second's; what comes last is what each of three deliveries came to.

foreach my $case (
	[ 'accepted', '/hook', [ 200 ], [], '200 A, 200 dup, 200 dup' ],
	[ 'refused', '/hook', [ 500 ], [], '500 A, 200 A, 200 dup' ],

	[ 'error page, 404', '/page/ok', [ 404 ], [],
		'200 A, 200 A, 200 dup' ],
	[ 'error page, 500', '/page/ok', [ 500, 500 ], [],
		'200 A, 200 A, 200 A' ],
	[ 'error page, reset', '/page/ok', [ 'reset' ], [],
		'200 A, 200 A, 200 dup' ],
	[ 'error page, close', '/page/ok', [ 'close' ], [],
		'200 A, 200 A, 200 dup' ],
	[ 'error page, 201', '/page/ok', [ 201 ], [],
		'201 A, 200 dup, 200 dup' ],
	[ 'error page that returns', '/page/return', [ 500 ], [],
		'200 A, 200 A, 200 dup' ],
	[ 'error page, dead', '/page/dead', [], [], '200, 200, 200' ],
	[ 'error page, own status', '/page/custom', [ 500 ], [],
		qr/^[45]0[05] A, 200 A, 200 dup$/ ],

	# nginx takes it for a 200 of HTTP/0.9, and the sender gets no status

	[ 'no status', '/hook', [ { raw => "\x15\x03\x01\0\x02\x02\x16" } ], [],
		'0 A, 200 A, 200 dup' ],
	[ 'no status, a line', '/hook', [ { raw => "hello\r\n" } ], [],
		'0 A, 200 A, 200 dup' ],
	[ 'no status, after another', '/next', [ 500 ],
		[ { raw => "hello\r\n" } ], '0 AB, 200 A, 200 dup' ],

	# the last one counts, and it is another upstream

	[ 'backup accepts', '/page/backup', [ 500 ], [ 200 ],
		'200 AB, 200 dup, 200 dup' ],
	[ 'backup refuses', '/page/backup', [ 500, 500 ], [ 500, 200 ],
		'500 AB, 200 AB, 200 dup' ],

	[ 'next accepts', '/next', [ 500 ], [ 200 ],
		'200 AB, 200 dup, 200 dup' ],
	[ 'next after a reset', '/next', [ 'reset' ], [ 201 ],
		'201 AB, 200 dup, 200 dup' ],
	[ 'next refuses', '/next', [ 500, 200 ], [ 500 ],
		'500 AB, 200 A, 200 dup' ],
	[ 'next refuses otherwise', '/next', [ 500, 200 ], [ 409 ],
		'409 AB, 200 A, 200 dup' ],
	[ 'next after dead', '/next/dead', [], [ 500, 202 ],
		'500 B, 202 B, 200 dup' ],
	[ 'no next', '/next/off', [ 500 ], [], '500 A, 200 A, 200 dup' ],

	[ 'redirect to a file', '/accel', [ accel('file') ], [],
		qr/^(?:200|405) A, 200 dup, 200 dup$/ ],
	[ 'redirect of a refusal', '/accel', [ accel('file', 500), 200 ], [],
		qr/^(?:200|405|500) A, 200 A, 200 dup$/ ],
	[ 'redirect to an upstream', '/accel', [ accel('proxy') ], [ 200 ],
		'200 AB, 200 dup, 200 dup' ],
	[ 'redirect to an upstream that refuses', '/accel',
		[ accel('proxy') ], [ 500 ], '500 AB, 200 dup, 200 dup' ],

	[ 'mirror refuses', '/mirror', [ 200 ], [ 500 ],
		'200 AB, 200 dup, 200 dup' ],
	[ 'mirror accepts', '/mirror', [ 500, 200 ], [ 200, 200 ],
		'500 AB, 200 AB, 200 dup' ],

	$addition ? [ 'added part fails', '/addition',
		[ { status => 200, body => 'x' } ], [ 500 ],
		qr/^200 AB, 200 (?:B )?dup, 200 (?:B )?dup$/ ] : (),

	[ 'try_files', '/late/try', [], [], '404, 404, 404' ],
	[ 'no address', '/late/resolve?to=', [], [], '500, 500, 500' ],
	[ 'no resolver', '/late/resolve?to=nosuch.invalid', [], [],
		'502, 502, 502' ],

	[ 'no upstream, 404', '/none/nosuch', [], [], '404, 404, 404',
		method => 'GET' ],
	[ 'no upstream, 200', '/none/ok', [], [], '200, 200 dup, 200 dup',
		method => 'GET' ],
	[ 'no upstream, 405', '/none/ok', [], [], '405, 405, 405' ],
	[ 'no upstream, rewritten', '/none/rewritten', [], [],
		'200, 200 dup, 200 dup' ],
) {
	my ($name, $uri, $first, $second, $want, %opts) = @$case;

	$_->reset() foreach $u, $v;
	$u->script(@$first);
	$v->script(@$second);

	(my $id = $name) =~ s/\W/-/g;

	my $got = join ', ', map { event($id, uri => $uri, %opts) } 1 .. 3;

	ref $want ? like($got, $want, $name) : is($got, $want, $name);

	# whoever has got it has got it whole

	is(join(' ', grep { $_ ne "{\"id\":\"$id\"}" } map { $_->{body} }
		grep { $_->{method} eq 'POST' && $_->{uri} ne '/after' }
		$u->requests(), $v->requests()), '', "$name - body")
		if $name =~ /backup|next|redirect to an|mirror/;
}

$_->reset() foreach $u, $v;

###############################################################################

# A sender that has the first byte finds it done, in any worker; the body of
# the answer may take as long as it likes.

foreach my $uri ('/hook', '/unbuffered') {
	my %n;

	foreach my $n (1 .. 40) {
		$u->script({ type => 'headers_then_hang', status => 200,
			body => 'x' x 100,
			headers => [ [ 'X-Accel-Buffering', 'no' ] ] });

		my $id = "byte$uri$n";
		my $c = event($id, uri => $uri, send_only => 1);

		IO::Select->new($c->socket())->can_read(10);

		$n{event($id, uri => $uri)}++;

		$u->release();
		$c->response();
		$c->close();
	}

	is(join(', ', map { "$n{$_} x $_" } sort keys %n), '40 x 200 dup',
		"$uri - done at the first byte");
}

# and one that was refused is free

my %n;

foreach my $n (1 .. 40) {
	$u->script({ type => 'headers_then_hang', status => 500,
		body => 'x' x 100,
		headers => [ [ 'X-Accel-Buffering', 'no' ] ] });

	my $c = event("free$n", send_only => 1);

	IO::Select->new($c->socket())->can_read(10);

	$n{event("free$n")}++;

	$u->release();
	$c->response();
	$c->close();
}

is(join(', ', map { "$n{$_} x $_" } sort keys %n), '40 x 200 A',
	'free at the first byte');

###############################################################################

# the sender leaves

foreach my $case (
	[ 'before the header', 'hang', '200 A, 200 dup' ],
	[ 'after 200', { type => 'headers_then_hang', status => 200,
		body => 'x' x 100, headers => [ [ 'X-Accel-Buffering', 'no' ] ]
		}, '200 dup, 200 dup' ],
	[ 'after 500', { type => 'headers_then_hang', status => 500,
		body => 'x' x 100, headers => [ [ 'X-Accel-Buffering', 'no' ] ]
		}, '200 A, 200 dup' ],
) {
	my ($name, $behaviour, $want) = @$case;

	foreach my $how (qw/ close abort /) {
		$u->reset()->script($behaviour);

		(my $id = "$name-$how") =~ s/\W/-/g;

		my $c = event($id, send_only => 1);
		$u->wait_for(1);

		IO::Select->new($c->socket())->can_read(10)
			if $name =~ /after/;

		$c->$how();
		$u->wait_gone(1);

		# it is gone for the upstream before nginx has done with it

		$t->wait_log(qr!^"/hook\?\Q$id\E" !, name => 'outcome.log');

		is(join(', ', map { event($id) } 1 .. 2), $want,
			"sender left by $how $name");
	}
}

###############################################################################

# a graceful shutdown learns the outcome, if it has the time

foreach my $case ([ 200, '200 dup' ], [ 500, '200 A' ]) {
	my ($status, $want) = @$case;

	$u->reset()->script('hang');

	my $c = event("graceful$status", send_only => 1);
	$u->wait_for(1);

	$t->reload();

	is(event("graceful$status"), '503', "reload, $status - in flight");

	$u->release(1, $status);

	is($c->response()->{status} . ', ' . event("graceful$status"),
		"$status, $want", "reload, $status");
}

# and if it has not, the event is free

(my $short = $conf) =~ s/(worker_processes)/worker_shutdown_timeout 1s;\n$1/;
$t->write_file_expand('nginx.conf', $short);
$t->reload();

$u->reset()->script('hang');

my $c = event('timeout', send_only => 1);
$u->wait_for(1);

my @old = $t->workers();
$t->reload();

ok($u->wait_gone(1), 'worker_shutdown_timeout - gone');
is($c->response(), undef, 'worker_shutdown_timeout - no answer');

wait_until(sub { !grep { kill 0, $_ } @old });

is(join(', ', map { event('timeout') } 1 .. 2), '200 A, 200 dup',
	'worker_shutdown_timeout - free');

###############################################################################

sub accel {
	my ($to, $status) = @_;

	return { status => $status || 200,
		headers => [ [ 'X-Accel-Redirect', "/internal/$to" ] ] };
}

# What became of a delivery: its status, and the upstreams that it reached.

sub event {
	my ($id, %opts) = @_;

	my $body = "{\"id\":\"$id\"}";
	my ($nu, $nv) = $opts{send_only} ? () : ($u->count(), $v->count());

	my $r = request(uri => "/hook?$id", %opts, body => $body,
		headers => [ sign('nextpay', $secret, $body) ]);

	return $r if $opts{send_only};

	# a mirror is asked, and not waited for

	$v->wait_for($nv + 1) if $u->count() > $nu
		and defined $opts{uri} and $opts{uri} eq '/mirror';

	my $reached = ($u->count() > $nu ? 'A' : '')
		. ($v->count() > $nv ? 'B' : '');

	return join ' ', $r->{status}, grep { $_ ne '' } $reached,
		$r->header('Webhook-Duplicate') ? 'dup' : '';
}

###############################################################################
