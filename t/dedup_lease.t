#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for leases under the machine's own clock: the shortest one is renewed
# in time, however long its request takes.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Time::HiRes qw/ time sleep /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(28);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_in_flight_wait  0;

    keepalive_requests  100000;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /1s {
            webhook_dedup  zone=events lease=1s;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /2s {
            webhook_dedup  zone=events lease=2s;
            proxy_pass     http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->run();

###############################################################################

# While the first delivery is with the upstream, no other is, whenever it
# comes: all the time is asked, and a lease is never over in between.

foreach my $lease ('1s', '2s') {
	$u->reset()->script('hang');

	my $c = hook("/$lease", $lease, send_only => 1);
	ok($u->wait_for(1), "$lease - first");

	my $client = client(port => 8080);
	my $from = $t->log_pos();
	my $till = time() + 3.5;
	my %seen;

	while (time() < $till) {
		$seen{answered(hook("/$lease", $lease, client => $client))}++;
		last if keys %seen > 1;
		sleep 0.002;
	}

	is(join(', ', sort keys %seen), '503 retry 5',
		"$lease - others in flight");
	is($u->count(), 1, "$lease - one is proxied");
	cmp_ok($seen{'503 retry 5'} || 0, '>', 10, "$lease - others");

	SKIP: {
	skip 'no debug log', 1 unless $t->has_feature('debug');

	cmp_ok(scalar($t->lines(qr/webhook renew claim/, from => $from)), '>=',
		$lease eq '1s' ? 3 : 2, "$lease - renewed");
	}

	is(scalar($t->lines(qr/taken over/, from => $from)), 0,
		"$lease - kept");

	$u->release(1);

	is(answered($c->response()), 200, "$lease - answered");
	is(answered(hook("/$lease", $lease)), '200 duplicate',
		"$lease - done");
}

# and once it is over there is nothing to renew

$u->reset()->script('hang', 500);

my $c = hook('/1s', 'left', send_only => 1);
$u->wait_for(1);
$c->abort();
$u->wait_gone(1);

is(join(', ', map { answered(hook('/1s', 'left')) } 1 .. 3),
	'500, 200, 200 duplicate', 'left - freed');

###############################################################################

# what no lease can be

foreach my $case (
	[ '1s', 0 ],
	[ '30', 0 ],
	[ '1d', 0 ],
	[ '86400s', 0 ],
	[ '0', 1 ],
	[ '0s', 1 ],
	[ '2d', 1 ],
	[ '86401', 1 ],
	[ '100y', 1 ],
	[ '', 1 ],
	[ '-1', 1 ],
) {
	my ($lease, $status) = @$case;

	my ($rc, $out) = $t->conf_test(<<"EOF", in => 'http');
    webhook_dedup_zone  zone=events:1m;

    server {
        listen  127.0.0.1:8998;

        location / {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events lease=$lease;
            proxy_pass      http://127.0.0.1:8999;
        }
    }
EOF

	is($rc . ($out =~ /\[emerg\].*lease=\Q$lease\E/ ? ' refused' : ''),
		$status ? '1 refused' : 0, "lease=$lease");
}

###############################################################################

sub hook {
	my ($uri, $id, %opts) = @_;

	return deliver('nextpay', $secret, "{\"id\":\"$id\"}", %opts,
		uri => $uri);
}

###############################################################################
