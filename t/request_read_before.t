#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a body that another module has read, discarded or replaced before
# it is verified: what is digested is what the upstream gets.

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

my $modules = '/usr/lib/nginx/modules';
my $load = join "\n", map { "load_module $modules/${_}_module.so;" }
	qw/ ndk_http ngx_http_lua /;

plan(skip_all => 'no lua module of nginx found')
	if grep { ! -f "$modules/${_}_module.so" } qw/ ndk_http ngx_http_lua /;

my $t = Test::Nginx->new()->has(qw/http proxy/);

# before or after ours

my @orders = ("$load\n%%TEST_GLOBALS%%", "%%TEST_GLOBALS%%\n$load");

my $conf = <<"EOF";

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '"\$webhook_status" "\$webhook_reason"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone  zone=events:1m;

    client_max_body_size  8m;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=k;

            client_body_buffer_size  64k;

            proxy_pass  http://127.0.0.1:8081;

            location /rewrite {
                rewrite_by_lua_block { ngx.req.read_body() }
                proxy_pass  http://127.0.0.1:8081;
            }

            location /access {
                access_by_lua_block { ngx.req.read_body() }
                proxy_pass  http://127.0.0.1:8081;
            }

            location /file {
                client_body_in_file_only  clean;

                rewrite_by_lua_block { ngx.req.read_body() }
                proxy_pass  http://127.0.0.1:8081;
            }

            location /discard {
                rewrite_by_lua_block { ngx.req.discard_body() }
                proxy_pass  http://127.0.0.1:8081;
            }

            location /replace {
                rewrite_by_lua_block {
                    ngx.req.read_body()
                    ngx.req.set_body_data(ngx.var.http_x_body)
                }
                proxy_pass  http://127.0.0.1:8081;
            }

            location /append {
                rewrite_by_lua_block {
                    ngx.req.read_body()
                    ngx.req.init_body(4)
                    ngx.req.append_body(ngx.var.http_x_body)
                    ngx.req.finish_body()
                }
                proxy_pass  http://127.0.0.1:8081;
            }
        }
    }
}

EOF

$t->write_file_expand('nginx.conf', $orders[0] . $conf);
$t->try_run('no lua');
$t->plan(2 * 44);

my $u = upstream(8081);
my $n = 0;

###############################################################################

foreach my $i (0 .. 1) {
	my $order = $i ? 'after' : 'before';

	if ($i) {
		$t->stop();
		$t->write_file_expand('nginx.conf', $orders[$i] . $conf);
		$t->run();
	}

	# read

	foreach my $uri (qw! /rewrite /access /file !) {
		foreach my $case (
			[ 'small' ],
			[ 'large', size => 500000 ],
			[ 'chunked', size => 500000, chunked => [ 1, 1000 ] ],
		) {
			my ($name, %opts) = @$case;
			my $body = event(delete $opts{size});

			$u->reset();

			is(sent($uri, $body, %opts, forged => 1), '401',
				"$order, $uri, $name - forged");
			is(sent($uri, $body, %opts), '200 proxied',
				"$order, $uri, $name - genuine");
			is($u->last()->{body} eq $body, 1,
				"$order, $uri, $name - body");
			is(sent($uri, $body, %opts), '200 duplicate',
				"$order, $uri, $name - duplicate");
		}
	}

	# discarded: nobody can tell, and the fault is ours

	$u->reset();
	my $body = event();

	is(sent('/discard', $body) . ', ' . sent('/', $body),
		'503 retry 5, 200 proxied', "$order, discarded");
	is(sent('/discard', '', signed => ''), '200 proxied',
		"$order, there was nothing to discard");

	# replaced: the new one is verified

	foreach my $uri (qw! /replace /append !) {
		$u->reset();

		my ($old, $new) = (event(), event());
		my @headers = ([ 'X-Body', $new ]);

		is(sent($uri, $old, headers => \@headers), '401',
			"$order, $uri - old one was signed");
		is(sent($uri, $old, headers => \@headers, signed => $new),
			'200 proxied', "$order, $uri - new one was signed");
		is($u->last()->{body}, $new, "$order, $uri - body");
	}
}

###############################################################################

sub event {
	my ($size) = @_;

	return sprintf '{"id":"e%d","x":"%s"}', ++$n, 'x' x ($size || 0);
}

# What is forged has the right id, and one byte too many.

sub sent {
	my ($uri, $body, %opts) = @_;

	my $signed = defined $opts{signed} ? $opts{signed} : $body;

	return came_of($u, sub {
		request(%opts, uri => $uri,
			body => $opts{forged} ? "$body " : $body,
			headers => [ sign('nextpay', $secret, $signed),
				@{$opts{headers} || []} ])
	});
}

###############################################################################
