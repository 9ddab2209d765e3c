#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for requests to a location that verifies which somebody else has
# answered before they could be judged: the error log tells of them, once a
# minute for each location; and of nothing that was judged or refused.

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

my $now = 1764000000;
my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite access/)
	->has_faketime();

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_verify  nextpay;
    webhook_secret  $secret;

    log_format  status  '"\$request_uri" \$status';
    access_log  %%TESTDIR%%/verdict.log  status;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location = /return {
            return  200;
        }

        location = /redirect {
            return  302  /return;
        }

        location = /rewrite {
            rewrite  ^  http://localhost/other  permanent;
        }

        location = /if {
            if (\$arg_x) {
                return  204;
            }

            proxy_pass  http://127.0.0.1:8081;
        }

        location /slash/ {
            proxy_pass  http://127.0.0.1:8081;
        }

        # what is refused

        location = /refuse {
            return  403;
        }

        location = /close {
            return  444;
        }

        location = /deny {
            deny        all;
            proxy_pass  http://127.0.0.1:8081;
        }

        # what is judged

        location = /hooks {
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /dry {
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }

        location = /page {
            error_page  401 =200  /return;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /accel {
            proxy_pass  http://127.0.0.1:8081;
        }

        # what is not to be

        location = /any {
            satisfy     any;
            allow       all;
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /off {
            webhook_verify  off;
            return          200;
        }
    }
}

EOF

my $u = upstream(8081);
$u->on(qr!^/accel!, { status => 200,
	headers => [ [ 'X-Accel-Redirect', '/return' ] ] });

$t->clock($now);
$t->run()->plan(20);

my $told = qr/\[error\].* webhook was not verified: /;

###############################################################################

# answered by others

told('/return', 'status 200', 200);
told('/redirect', 'status 302', 302);
told('/rewrite', 'status 301', 301);
told('/if?x=1', 'status 204', 204);
told('/slash', 'a slash that is added', 301);

is($u->count(), 0, 'nothing proxied');

# refused by others, or judged

untold('/refuse', 403);
untold('/close', 0);
untold('/deny', 403);

untold('/hooks', 401);
untold('/dry', 200);
untold('/page', 200);
untold('/any', 200);
untold('/off', 200);

genuine('/hooks', 200);
genuine('/page', 200);
genuine('/accel', 200);

###############################################################################

# once a minute, for each location

my $from = $t->log_pos();

$t->clock($now + 59);
request(uri => '/return') foreach 1 .. 3;

$t->clock($now + 60);
request(uri => '/return') foreach 1 .. 2;
request(uri => '/redirect');

is(scalar grep({ m!location "/return", requests: 4 ! }
	$t->wait_log(qr/location "\/return"/, from => $from)), 1,
	'a minute later, and how many');

$t->clock($now + 30);
request(uri => '/return');

$t->wait_log(qr/location "\/return", requests: 2 /, from => $from);

is(join(' ', map { m!location "([^"]+)", requests: (\d+)!; "$1 $2" }
	$t->lines($told, from => $from)), '/return 4 /redirect 1 /return 2',
	'and at once when the clock was set back');

is(scalar($t->lines(qr/$secret/)), 0, 'no secret');

###############################################################################

sub told {
	my ($uri, $name, $status) = @_;

	my $from = $t->log_pos();
	request(uri => $uri, body => '{}');

	my ($path) = $uri =~ m!^([^?]+)!;

	like($t->wait_log($told, from => $from) || '',
		qr!answered it with $status in location "$path/?", requests: 1 !,
		"$name - told");
}

sub untold {
	my ($uri, $status) = @_;

	is_untold($uri, $status, request(uri => $uri, body => '{}'));
}

sub genuine {
	my ($uri, $status) = @_;

	is_untold("$uri?genuine", $status, deliver('nextpay', $secret,
		'{"id":"a"}', uri => "$uri?genuine"));
}

# the line of the access log is written after it

sub is_untold {
	my ($uri, $status, $r) = @_;

	$r->{client}->close();
	$t->logged($uri);

	is("$r->{status} " . $t->lines(qr/$told.*request: "POST \Q$uri\E /),
		"$status 0", "$uri - not told");
}

###########
