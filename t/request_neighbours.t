#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what nginx itself may do with a request that is verified: how it is
# passed on, limited, read, and what is made of the answer.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Gateway;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my @passes = qw/ fastcgi scgi uwsgi grpc /;
my @reads = qw/ threads directio sendfile /;

my $t = Test::Nginx->new()->has(qw/http proxy http_v2 threads ssi gzip
	limit_req limit_conn/, @passes)
	->plan(@passes * 16 + @reads * 12 + 17);

my $params = join "\n", map { my $pass = $_; map { <<"EOF" }
            ${pass}_param  $_;
EOF
	'REQUEST_METHOD  $request_method', 'REQUEST_URI     $request_uri',
	'CONTENT_LENGTH  $content_length' } qw/ fastcgi scgi uwsgi /;

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

thread_pool  default  threads=2;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    limit_req_zone   \$arg_k  zone=req:1m   rate=1r/m;
    limit_conn_zone  \$arg_k  zone=conn:1m;

    client_max_body_size     8m;
    client_body_buffer_size  16k;

    webhook_verify  nextpay;
    webhook_secret  $secret;
    webhook_dedup   zone=events key=\$uri;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        # passed on

        location /fastcgi/ {
            fastcgi_pass  127.0.0.1:8091;
            include       params.conf;
        }

        location /scgi/ {
            scgi_pass  127.0.0.1:8092;
            include    params.conf;
        }

        location /uwsgi/ {
            uwsgi_pass  127.0.0.1:8093;
            include     params.conf;
        }

        location /grpc/ {
            grpc_pass  grpc://127.0.0.1:8094;
        }

        # read and sent in other ways

        location /threads/ {
            aio         threads;
            aio_write   on;
            proxy_pass  http://127.0.0.1:8081;

            proxy_buffers            2 4k;
            proxy_busy_buffers_size  4k;
        }

        location /directio/ {
            aio          threads;
            directio     512;
            output_buffers  1 4k;
            client_body_in_file_only  clean;
            proxy_pass   http://127.0.0.1:8081;
        }

        location /sendfile/ {
            sendfile            on;
            sendfile_max_chunk  4k;
            tcp_nopush          on;
            proxy_pass          http://127.0.0.1:8081;
        }

        # limited

        location /req {
            limit_req   zone=req;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /conn {
            limit_conn  conn 1;
            proxy_pass  http://127.0.0.1:8081;
        }

        # what is made of the answer

        location /gzip {
            gzip             on;
            gzip_types       *;
            gzip_min_length  1;
            gzip_proxied     any;
            proxy_pass       http://127.0.0.1:8081;
        }

        location /ssi {
            ssi         on;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /included {
            proxy_pass  http://127.0.0.1:8081;
        }
    }

    server {
        listen  127.0.0.1:8094 http2;

        webhook_verify  off;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

$t->write_file('params.conf', $params);

my $u = upstream(8081);

gateway('fastcgi', 8091, 8081);
gateway('scgi', 8092, 8081);
gateway('uwsgi', 8093, 8081);

$t->run();

my $n = 0;

###############################################################################

# passed on: an event that was accepted is not delivered again, one that was not
# is

foreach my $pass (@passes) {
	foreach my $case (
		[ 'small' ],
		[ 'large', size => 300000 ],
		[ 'chunked', size => 100000, chunked => [ 1, 1000 ] ],
	) {
		delivered("/$pass/", @$case);
	}

	my $body = event();

	$u->reset()->script(500, 'close');

	is(join(', ', map { sent("/$pass/failed", $body) } 1 .. 4),
		'500 proxied, 502 proxied, 200 proxied, 200 duplicate',
		"$pass - failed, then accepted");

	is($u->count(), 3, "$pass - delivered");
	is($u->last()->{body}, $body, "$pass - body");
	is($u->last()->{method}, 'POST', "$pass - method");
}

# read and sent in other ways

foreach my $read (@reads) {
	$u->reset()->answer({ status => 200, body => 'x' x 200000 });

	foreach my $case (
		[ 'small' ],
		[ 'large', size => 300000 ],
		[ 'chunked', size => 100000, chunked => [ 1, 1000 ] ],
	) {
		delivered("/$read/", @$case);
	}
}

$u->reset()->answer(200);

###############################################################################

# limited: what is turned away is not judged, and not swallowed

my @bodies = (event(), event());

is(join(', ', sent('/req?k=a', $bodies[0]), sent('/req?k=a', $bodies[1]),
	sent('/req?k=b', $bodies[1]), sent('/req?k=c', $bodies[1])),
	'200 proxied, 503, 200 proxied, 200 duplicate', 'limit_req');

# what is forged counts as well, and is refused while there is room

is(join(', ', sent('/req?k=d', $bodies[1], forged => 1),
	sent('/req?k=d', event())), '401, 503', 'limit_req - forged');

@bodies = (event(), event());

$u->reset()->script('hang');

my $c = hook('/conn?k=a', $bodies[0], send_only => 1);

ok($u->wait_for(1), 'limit_conn - first');

is(sent('/conn?k=a', $bodies[1]), '503', 'limit_conn - second');
is(sent('/conn?k=b', $bodies[1]), '200 proxied', 'limit_conn - repeated');

$u->release(1, 200);

is(answered($c->response()), '200', 'limit_conn - first is answered');

is(sent('/conn?k=b', $bodies[0]), '200 duplicate', 'limit_conn - and accepted');

# compressed

my $gzip = [ 'Accept-Encoding', 'gzip' ];

$u->answer({ status => 200, headers => [ [ 'Content-Type', 'text/html' ] ],
	body => 'accepted ' x 100 });

@bodies = (event());

my $r = hook('/gzip', $bodies[0], headers => [ $gzip ]);

is($r->{status} . ' ' . ($r->header('Content-Encoding') || ''), '200 gzip',
	'gzip');

$r = hook('/gzip', $bodies[0], headers => [ $gzip ]);

is(answered($r), '200 duplicate', 'gzip - duplicate');
is($r->{body}, '', 'gzip - its body');

is(answered(hook('/gzip', event(), headers => [ $gzip ], forged => 1)), '401',
	'gzip - forged');

# an answer that includes others: these are not verified, and do not count

my $page = { status => 200, headers => [ [ 'Content-Type', 'text/html' ] ],
	body => 'a<!--#include virtual="/included?fail" -->b' };

@bodies = (event(), event());

$u->reset();
$u->answer($page);
$u->on(qr/^.included/, 500);

is(answered(hook('/ssi', $bodies[0], forged => 1)) . ' ' . $u->count(),
	'401 0', 'ssi - forged');

$r = hook('/ssi', $bodies[0]);

is($r->{status} . ' ' . $u->count(), '200 2', 'ssi - genuine');
is($r->{body}, "aupstream\nb", 'ssi - a page with what has failed');

$r = hook('/ssi', $bodies[0]);

is(answered($r) . ' ' . $u->count(), '200 duplicate 2', 'ssi - accepted');

$u->answer({ %$page, status => 500 });
$u->on(qr/^.included/, 200);

$r = hook('/ssi', $bodies[1]);

is($r->{status}, 500, 'ssi - a page that has failed');

$u->answer($page);

is(join(', ', map { answered(hook('/ssi', $bodies[1])) } 1, 2),
	'200, 200 duplicate', 'ssi - is delivered again');

###############################################################################

sub delivered {
	my ($uri, $name, %opts) = @_;

	my $body = event(delete $opts{size});
	my $before = $u->count();

	is(sent("$uri$name", $body, %opts, forged => 1), '401',
		"$uri, $name - forged");
	is(sent("$uri$name", $body, %opts), '200 proxied',
		"$uri, $name - genuine");
	is($u->last()->{body} eq $body && $u->count() == $before + 1, 1,
		"$uri, $name - body");
	is(sent("$uri$name", $body, %opts), '200 duplicate',
		"$uri, $name - duplicate");
}

sub event {
	my ($size) = @_;

	return sprintf '{"id":"e%d","x":"%s"}', ++$n, 'x' x ($size || 0);
}

sub hook {
	my ($uri, $body, %opts) = @_;

	return request(%opts, uri => $uri,
		body => $opts{forged} ? "$body " : $body,
		headers => [ sign('nextpay', $secret, $body),
			@{$opts{headers} || []} ]);
}

sub sent {
	my ($uri, $body, %opts) = @_;
	return came_of($u, sub { hook($uri, $body, %opts) });
}

###############################################################################
