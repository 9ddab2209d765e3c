#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a reload while a body that was read before is digested: a worker
# that is to go ends what it has begun.

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

# more secrets, so that it takes its time

my @others = map { "other-$_-$secret" } 2 .. 8;

my $t = Test::Nginx->new()->has(qw/http proxy debug/)->plan(4);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    client_max_body_size      32m;
    proxy_max_temp_file_size  0;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        # nobody listens on 8082, and the body was read for it

        location / {
            error_page  502 = \@digest;
            proxy_pass  http://127.0.0.1:8082;
        }

        location \@digest {
            webhook_verify  nextpay;
            webhook_secret  $secret @others;
            webhook_dedup   zone=events on_missing=reject;

            webhook_json_max_size  32m;

            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->run();

###############################################################################

# A body of many slices.  The worker is stopped between two of them, and goes
# on when it was told to quit.

my ($worker) = $t->workers();
my $from = $t->log_pos();
my $body = '{"id":"e1","x":"' . 'x' x (24 << 20) . '"}';

my $c = deliver('nextpay', $secret, $body, send_only => 1);

$t->wait_log(qr/connect\(\) failed/, from => $from);
kill 'STOP', $worker;

kill 'HUP', $t->master();
ok($t->wait_log(qr/ child: \d+ $worker /, from => $from), 'told to quit');

kill 'CONT', $worker;

my $r = $c->response();

is($r ? $r->{status} : 'closed', 200, 'answered');
is(length $u->last()->{body}, length $body, 'delivered');

$r = deliver('nextpay', $secret, '{"id":"e1"}');

is($r->header('Webhook-Duplicate'), 1, 'done');

###############################################################################
