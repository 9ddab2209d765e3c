#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for inheritance: what a level says replaces what the level above says
# of that directive, whole, and nothing else.  The levels are http, server,
# location, nested location, limit_except.

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

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->has_faketime();

my %secret = map { $_ => "the-$_-secret-of-the-test" } qw/ a b c d /;

foreach my $name (keys %secret) {
	$t->write_file($name, "$secret{$name}\n");
	chmod 0600, $t->testdir() . "/$name";
}

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;

    log_format  verdict  '$webhook_status $webhook_scheme $webhook_secret_index '
                         '"$webhook_event_id"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_verify         slack;
    webhook_secret         file:a file:b;
    webhook_tolerance      100 10;
    webhook_reject_status  403;
    webhook_log_level      error;
    webhook_json_max_size  100;

    server {
        listen       127.0.0.1:8080;
        server_name  http;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /scheme {
            webhook_verify  nextpay;
            webhook_dedup   zone=z;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /secret {
            webhook_secret  file:c;

            proxy_pass  http://127.0.0.1:8081;

            location /secret/nested {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /secret/other {
                webhook_secret  file:d;
                webhook_secret  file:a;

                proxy_pass  http://127.0.0.1:8081;
            }
        }

        location /tolerance {
            webhook_tolerance  20;

            proxy_pass  http://127.0.0.1:8081;

            location /tolerance/off {
                webhook_tolerance  off;

                proxy_pass  http://127.0.0.1:8081;
            }

            location /tolerance/none {
                webhook_tolerance  0;

                proxy_pass  http://127.0.0.1:8081;
            }
        }

        location /off {
            webhook_verify  off;

            proxy_pass  http://127.0.0.1:8081;

            location /off/nested {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /off/on {
                webhook_verify  slack;

                proxy_pass  http://127.0.0.1:8081;
            }
        }

        location /status {
            webhook_reject_status  422;

            proxy_pass  http://127.0.0.1:8081;

            location /status/nested {
                proxy_pass  http://127.0.0.1:8081;
            }
        }

        location /json {
            webhook_json_max_size  1k;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /level {
            webhook_log_level  notice;

            proxy_pass  http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  server;

        webhook_verify         nextpay;
        webhook_secret         file:c;
        webhook_dedup          zone=z;
        webhook_dry_run        on;
        webhook_reject_status  418;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /wet {
            webhook_dry_run  off;

            proxy_pass  http://127.0.0.1:8081;

            location /wet/dedup {
                webhook_dedup  off;

                proxy_pass  http://127.0.0.1:8081;

                location /wet/dedup/off {
                    proxy_pass  http://127.0.0.1:8081;
                }

                location /wet/dedup/on {
                    webhook_dedup  zone=z;

                    proxy_pass  http://127.0.0.1:8081;
                }
            }

            location /wet/off {
                webhook_verify  off;

                proxy_pass  http://127.0.0.1:8081;
            }
        }

        location /except {
            webhook_dry_run  off;

            limit_except PUT {
                webhook_secret         file:d;
                webhook_reject_status  404;
                webhook_dedup          off;
            }

            proxy_pass  http://127.0.0.1:8081;
        }

        location /unverified {
            webhook_verify   off;
            webhook_dry_run  off;

            limit_except GET {
                webhook_verify  slack;
            }

            proxy_pass  http://127.0.0.1:8081;
        }

        location /verified {
            webhook_dry_run  off;

            limit_except POST {
                webhook_verify  off;
            }

            proxy_pass  http://127.0.0.1:8081;
        }

        location /if {
            webhook_dry_run  off;

            if ($request_method = PUT) {
                proxy_pass  http://127.0.0.1:8081;
            }

            proxy_pass  http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  locations;

        webhook_verify     nextpay;
        webhook_secret     file:b;
        webhook_dedup      zone=z;
        webhook_tolerance  1;

        location /c {
            webhook_secret  file:c;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /d {
            webhook_secret  file:d;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /key {
            webhook_dedup  zone=z key=x;

            proxy_pass  http://127.0.0.1:8081;

            location /key/nested {
                proxy_pass  http://127.0.0.1:8081;
            }

            location /key/default {
                webhook_dedup  zone=z;

                proxy_pass  http://127.0.0.1:8081;
            }
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  nosecret;

        webhook_secret  file:c;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /nested {
            webhook_secret  file:d;

            location /nested/verify {
                webhook_verify  nextpay;
                webhook_dedup   zone=z;

                proxy_pass  http://127.0.0.1:8081;
            }
        }
    }
}

EOF

$t->plan(57);

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

# from http: scheme, both secrets, tolerance, status

is(slack('http', '/', 'a'), 'PASSED slack 1', 'http, first secret');
is(slack('http', '/', 'b'), 'PASSED slack 2', 'http, second secret');
is(slack('http', '/', 'c'), '403 REJECTED slack', 'http, status');
is(slack('http', '/', 'a', -100), 'PASSED slack 1', 'http, past');
is(slack('http', '/', 'a', -101), '403 REJECTED slack', 'http, long past');
is(slack('http', '/', 'a', 10), 'PASSED slack 1', 'http, future');
is(slack('http', '/', 'a', 11), '403 REJECTED slack', 'http, far future');

# only the scheme is replaced; the tolerance means nothing there

is(nextpay('http', '/scheme', 'b'), 'PASSED nextpay 2', 'scheme replaced');
is(slack('http', '/scheme', 'b'), '403 REJECTED nextpay',
	'scheme replaced, status inherited');

# secrets are replaced whole

is(slack('http', '/secret', 'c'), 'PASSED slack 1', 'secret replaced');
is(slack('http', '/secret', 'a'), '403 REJECTED slack', 'no secret added');
is(slack('http', '/secret', 'c', -101), '403 REJECTED slack',
	'secret replaced, tolerance inherited');
is(slack('http', '/secret/nested', 'c'), 'PASSED slack 1', 'secret inherited');
is(slack('http', '/secret/nested', 'b'), '403 REJECTED slack',
	'secret of two levels above');
is(slack('http', '/secret/other', 'd'), 'PASSED slack 1',
	'two lines of secrets, first');
is(slack('http', '/secret/other', 'a'), 'PASSED slack 2',
	'two lines of secrets, second');
is(slack('http', '/secret/other', 'c'), '403 REJECTED slack',
	'two lines of secrets replace');

# tolerance is replaced whole: one value is for both directions

is(slack('http', '/tolerance', 'a', -20), 'PASSED slack 1', 'tolerance');
is(slack('http', '/tolerance', 'a', -21), '403 REJECTED slack',
	'tolerance replaced, past');
is(slack('http', '/tolerance', 'a', 20), 'PASSED slack 1',
	'tolerance replaced, future');
is(slack('http', '/tolerance', 'a', 21), '403 REJECTED slack',
	'tolerance replaced, far future');
is(slack('http', '/tolerance/off', 'a', -1000000), 'PASSED slack 1',
	'tolerance off');
is(slack('http', '/tolerance/off', 'a', 1000000), 'PASSED slack 1',
	'tolerance off, future');
is(slack('http', '/tolerance/none', 'a', 0), 'PASSED slack 1', 'tolerance 0');
is(slack('http', '/tolerance/none', 'a', -1), '403 REJECTED slack',
	'tolerance 0, past');
is(slack('http', '/tolerance/none', 'a', 1), '403 REJECTED slack',
	'tolerance 0, future');

# off, and on again

is(slack('http', '/off', 'x'), '200 -', 'off');
is(slack('http', '/off/nested', 'x'), '200 -', 'off inherited');
is(slack('http', '/off/on', 'b'), 'PASSED slack 2', 'on below off');
is(slack('http', '/off/on', 'x'), '403 REJECTED slack', 'on below off, forged');

# status, size, level

is(slack('http', '/status/nested', 'x'), '422 REJECTED slack', 'status');

is(slack('http', '/', 'a', 0, '{"event_id":"i"}' . ' ' x 85), 'PASSED slack 1',
	'JSON size');
is(id(), '""', 'JSON size, id');
is(slack('http', '/json', 'a', 0, '{"event_id":"i"}' . ' ' x 85),
	'PASSED slack 1', 'JSON size replaced');
is(id(), '"i"', 'JSON size replaced, id');

my $from = $t->log_pos();
slack('http', '/', 'x');
slack('http', '/level', 'x');
is(join(' ', map { /\[(\w+)\]/ } grep { !/\[debug\]/ }
	$t->lines(qr/webhook rejected/, from => $from)), 'error notice',
	'log level');

# server: dry run, dedup

is(nextpay('server', '/', 'c'), 'PASSED_DRY_RUN nextpay 1', 'dry run');
is(nextpay('server', '/', 'a'), '200 REJECTED_DRY_RUN nextpay',
	'dry run, secret of http is replaced');
is(nextpay('server', '/wet', 'c'), 'PASSED nextpay 1', 'dry run off');
is(nextpay('server', '/wet', 'a'), '418 REJECTED nextpay',
	'dry run off, status of the server');

is(twice('server', '/wet', 'c'), 'PASSED nextpay 1, DUPLICATE nextpay 1',
	'dedup');
is(twice('server', '/', 'c'),
	'PASSED_DRY_RUN nextpay 1, PASSED_DRY_RUN nextpay 1',
	'dedup in dry run writes nothing');
is(twice('server', '/wet/dedup', 'c'), 'PASSED nextpay 1, PASSED nextpay 1',
	'dedup off');
is(twice('server', '/wet/dedup/off', 'c'),
	'PASSED nextpay 1, PASSED nextpay 1', 'dedup off inherited');
is(twice('server', '/wet/dedup/on', 'c'),
	'PASSED nextpay 1, DUPLICATE nextpay 1', 'dedup on again');
is(twice('server', '/wet/off', 'c'), '200 -, 200 -',
	'dedup where nothing is verified');

# limit_except

is(twice('server', '/except', 'c', method => 'PUT'),
	'PASSED nextpay 1, DUPLICATE nextpay 1', 'method that is excepted');
is(twice('server', '/except', 'd'), 'PASSED nextpay 1, PASSED nextpay 1',
	'limit_except, secret and dedup');
is(nextpay('server', '/except', 'c'), '404 REJECTED nextpay',
	'limit_except, secret is replaced, status');
is(join(', ', map { slack('server', '/unverified', 'c', 0, undef,
	method => $_) } qw/ PUT GET /), 'PASSED slack 1, 200 -',
	'limit_except verifies');
is(join(', ', map { nextpay('server', '/verified', 'x', method => $_) }
	qw/ POST PUT /), '418 REJECTED nextpay, 200 -', 'limit_except does not');
is(join(', ', map { nextpay('server', '/if', $_, method => 'PUT') }
	qw/ c x /), 'PASSED nextpay 1, 418 REJECTED nextpay', 'if inherits');

# locations with secrets of their own do not share events

is(join(', ', map { nextpay('locations', $_->[0], $_->[1], id => 'same') }
	[ '/c', 'c' ], [ '/d', 'd' ], [ '/c', 'c' ], [ '/d', 'c' ]),
	'PASSED nextpay 1, PASSED nextpay 1, DUPLICATE nextpay 1, '
	. '403 REJECTED nextpay', 'secrets in the locations');
is(join(', ', map { nextpay('locations', $_, 'b', id => 'key') }
	'/key', '/key/nested', '/key/default', '/key/default'),
	'PASSED nextpay 1, DUPLICATE nextpay 1, PASSED nextpay 1, '
	. 'DUPLICATE nextpay 1', 'key= is inherited with the zone');

# what is above is not verified against

is(slack('nosecret', '/', 'c'), 'PASSED slack 1',
	'scheme of http, secret of the server');
is(nextpay('nosecret', '/nested/verify', 'd'), 'PASSED nextpay 1',
	'secret of the location above');
is(nextpay('nosecret', '/nested/verify', 'c'), '403 REJECTED nextpay',
	'secret of the server is replaced');

###############################################################################

my ($ids, $line);

sub slack {
	my ($host, $uri, $name, $age, $body, %opts) = @_;

	return verdict('slack', $name, defined $body ? $body : '{}', %opts,
		host => $host, uri => $uri, ts => $now + ($age || 0));
}

sub nextpay {
	my ($host, $uri, $name, %opts) = @_;

	my $id = defined $opts{id} ? $opts{id} : 'n' . ++$ids;
	return verdict('nextpay', $name, "{\"id\":\"$id\"}", %opts,
		host => $host, uri => $uri);
}

sub twice {
	my ($host, $uri, $name, %opts) = @_;

	my $id = 't' . ++$ids;
	return join ', ', map { nextpay($host, $uri, $name, %opts, id => $id) }
		1, 2;
}

# the verdict, with the status if it is not PASSED and 200

sub verdict {
	my ($scheme, $name, $body, %opts) = @_;

	my $from = $t->log_pos('verdict.log');
	$u->reset();

	my $r = deliver($scheme, defined $secret{$name} ? $secret{$name} : $name,
		$body, %opts);

	# what is not read to its end is logged when the client has left

	$r->{client}->close();

	$line = $t->wait_log(qr/./, name => 'verdict.log', from => $from) || '';

	my ($status, $used, $index) = split / /, $line;
	my $proxied = $r->{status} == 200 && $status ne 'DUPLICATE' ? 1 : 0;

	return "proxied " . $u->count() . ": $r->{status} $line"
		if $u->count() != $proxied;

	return "$r->{status} -" if $status eq '' or $status eq '-';

	return $index =~ /^[1-9]/ && $r->{status} == 200
		? "$status $used $index" : "$r->{status} $status $used";
}

sub id {
	return (split / /, $line)[-1];
}

###############################################################################
