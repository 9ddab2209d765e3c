#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for $webhook_outcome: what became of an event that was delivered, with
# deduplication and without it, as the access log tells it; and for the
# version of the module, in the error log and in $webhook_version.

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

my $secret = 'the-secret-of-this-test';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;

    log_format  outcome  '"\$request_uri" \$webhook_status \$webhook_outcome';
    access_log  %%TESTDIR%%/verdict.log  outcome;

    webhook_verify          nextpay;
    webhook_secret          $secret;
    webhook_in_flight_wait  0;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        proxy_read_timeout  1s;
        proxy_next_upstream off;

        location /dedup/ {
            webhook_dedup  zone=z;
            proxy_pass     http://127.0.0.1:8081/;
            add_header     X-Outcome  \$webhook_outcome  always;
        }

        location /plain/ {
            proxy_pass     http://127.0.0.1:8081/;
            add_header     X-Outcome  \$webhook_outcome  always;
        }

        location /dry/ {
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081/;
        }

        location /page/ {
            error_page              500  =200  /fine;
            proxy_intercept_errors  on;
            proxy_pass              http://127.0.0.1:8081/;
        }

        location /fallback/ {
            error_page  502 504  =  \@other;
            proxy_pass  http://127.0.0.1:8081/;
        }

        location \@other {
            proxy_pass  http://127.0.0.1:8081;
        }

        location = /fine {
            webhook_verify  off;
            return          200;
        }

        location = /version {
            webhook_verify  off;
            return          200  \$webhook_version;
        }
    }
}

EOF

my $u = upstream(8081);

$u->on(qr!/500!, 500);
$u->on(qr!/302!, 302);
$u->on(qr!/204!, 204);
$u->on(qr!/reset!, 'reset');
$u->on(qr!/cut!, 'headers_then_close');
$u->on(qr!/header!, { type => 'close', status => 200, cut => 12 });
$u->on(qr!/hang!, 'hang');
$u->on(qr!^/next!, 'reset');
$u->on(qr!^/fallback/next!, 202);

$t->run()->plan(28);

###############################################################################

my $n = 0;

foreach my $where (qw/ dedup plain /) {
	came_to("/$where/200", 'PASSED accepted');
	came_to("/$where/204", 'PASSED accepted');
	came_to("/$where/302", 'PASSED refused');
	came_to("/$where/500", 'PASSED refused');
	came_to("/$where/reset", 'PASSED unknown');
	came_to("/$where/header", 'PASSED unknown');
	came_to("/$where/cut", 'PASSED accepted');

	is(header("/$where/500?h"), 'refused', "$where - in a header");
	is(header("/$where/200?h"), 'accepted', "$where - in a header, accepted");

	# the client leaves before there is an answer

	my $c = deliver('nextpay', $secret, body(), uri => "/$where/hang",
		send_only => 1);
	wait_until(sub { $u->hanging() });
	$c->close();

	is(join(' ', $t->logged("/$where/hang")), 'PASSED unknown',
		"$where - the sender left");
	$u->release();
}

came_to('/page/500', 'PASSED refused');
came_to('/fallback/next', 'PASSED accepted');
came_to('/dry/200', 'PASSED_DRY_RUN accepted');
came_to('/dry/500', 'PASSED_DRY_RUN refused');

# what is not delivered

my $twice = body();

deliver('nextpay', $secret, $twice, uri => '/dedup/200?1');
deliver('nextpay', $secret, $twice, uri => '/dedup/200?2');

is(join(' ', $t->logged('/dedup/200?2')), 'DUPLICATE ', 'duplicate');

request(uri => '/dedup/200?3', body => '{}');

is(join(' ', $t->logged('/dedup/200?3')), 'REJECTED ', 'rejected');

# the version

my ($version) = project_text('CHANGES') =~ /module (\S+)/;

like(http_get('/version'), qr/\n\Q$version\E$/, 'version is that of CHANGES');

$t->reload();

is(scalar(() = $t->lines(
	qr/\[notice\].*ngx_http_webhook_module \Q$version\E is loaded/)), 1,
	'told at the start, once');

###############################################################################

sub body {
	return '{"id":"e' . ++$n . '"}';
}

sub came_to {
	my ($uri, $expected) = @_;

	my $r = deliver('nextpay', $secret, body(), uri => $uri);
	$r->{client}->close();

	is(join(' ', $t->logged($uri)), $expected, $uri);
}

sub header {
	my ($uri) = @_;

	return deliver('nextpay', $secret, body(), uri => $uri)
		->header('X-Outcome');
}

###############################################################################
