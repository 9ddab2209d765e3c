#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for modules of others, all of them in one nginx with ours, loaded before
# or after it: what reads the body first, changes headers, judges it too, answers
# in place of an upstream, or changes the answer.

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
my @others = qw/ ndk_http ngx_http_lua ngx_http_js ngx_http_headers_more_filter
	ngx_http_echo ngx_http_modsecurity ngx_nchan /;

foreach my $name (@others) {
	plan(skip_all => "no $name found")
		if ! -f "$modules/${name}_module.so";
}

my $load = join "\n", map { "load_module $modules/${_}_module.so;" } @others;

# before or after ours

my @orders = ("$load\n%%TEST_GLOBALS%%", "%%TEST_GLOBALS%%\n$load");

my $t = Test::Nginx->new()->has(qw/http proxy/);

my $conf = <<"EOF";

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    client_max_body_size     8m;
    client_body_buffer_size  16k;

    js_import  hook from hook.js;

    webhook_verify  nextpay;
    webhook_secret  $secret;
    webhook_dedup   zone=events key=\$http_x_test;

    nchan_shared_memory_size  4m;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        # reads and judges the body first, and the answer

        location /modsecurity {
            modsecurity             on;
            modsecurity_rules_file  %%TESTDIR%%/rules.conf;
            proxy_pass              http://127.0.0.1:8081;
        }

        # changes what is verified

        location /headers/set {
            more_set_input_headers  'X-Nextpay-Signature: \$http_x_other';
            more_set_headers        'X-More: 1';
            proxy_pass              http://127.0.0.1:8081;
        }

        location /headers/clear {
            more_clear_input_headers  X-Nextpay-Signature;
            proxy_pass                http://127.0.0.1:8081;
        }

        # change the status of the answer

        location /lua/status {
            header_filter_by_lua_block { ngx.status = 500 }
            proxy_pass  http://127.0.0.1:8081;
        }

        location /js/status {
            js_header_filter  hook.status;
            proxy_pass        http://127.0.0.1:8081;
        }

        # answer themselves

        location /lua/content {
            content_by_lua_block {
                ngx.req.read_body()

                local a = ngx.location.capture('/inner',
                    { method = ngx.HTTP_POST, always_forward_body = true })

                ngx.status = a.status
                ngx.print(ngx.req.get_body_data() or '')
            }
        }

        location /js/content {
            client_body_buffer_size  1m;
            js_content  hook.content;
        }

        location /echo/content {
            echo_read_request_body;
            echo_request_body;
        }

        location /echo/exec {
            echo_exec  /inner;
        }

        location /inner {
            internal;
            proxy_pass  http://127.0.0.1:8081;
        }

        # nchan goes on reading the file of a body when its request has ended

        location /nchan/publish {
            client_body_buffer_size  1m;

            nchan_publisher;
            nchan_channel_id  \$http_x_test;
        }

        location /nchan/look {
            webhook_verify  off;
            nchan_publisher;
            nchan_channel_id  \$http_x_test;
        }

        location /nchan/read {
            webhook_verify  off;
            nchan_subscriber  longpoll;
            nchan_channel_id  \$http_x_test;
            nchan_subscriber_timeout  1s;
        }
    }
}

EOF

$t->write_file('rules.conf', <<'EOF');
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 8000000
SecRequestBodyNoFilesLimit 8000000
SecRule REQUEST_HEADERS:X-Raw "@streq 1" \
    "id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
SecRule REQUEST_BODY "@contains evil" "id:2,phase:2,deny,status:403,nolog"
SecRule RESPONSE_STATUS "@streq 202" "id:3,phase:3,deny,status:403,nolog"
EOF

$t->write_file('hook.js', <<'EOF');
function content(r) {
    r.subrequest('/inner', { method: 'POST', body: r.requestText },
                 function(a) { r.return(a.status, r.requestText); });
}

function status(r) {
    r.status = 500;
}

export default { content, status };
EOF

$t->write_file_expand('nginx.conf', $orders[0] . $conf);
$t->try_run('no such modules');
$t->plan(2 * 69);

my $u = upstream(8081);
my ($n, $run) = (0, '');

###############################################################################

foreach my $i (0 .. 1) {
	$run = $i ? 'after' : 'before';

	if ($i) {
		$t->stop();
		$t->write_file_expand('nginx.conf', $orders[$i] . $conf);
		$t->run();
	}

	$u->reset();

	# whatever is loaded, and reads first

	foreach my $uri (qw! / /modsecurity /echo/exec !) {
		foreach my $case (
			[ 'small' ],
			[ 'large', size => 300000 ],
			[ 'chunked', size => 100000, chunked => [ 1, 1000 ] ],
		) {
			delivered($uri, @$case);
		}
	}

	# refused by another: not delivered, and not remembered

	my $evil = event() =~ s/"x":/"evil":/r;
	my @raw = (headers => [ [ 'X-Raw', 1 ] ]);

	is(join(', ', sent('/modsecurity', $evil, @raw),
		sent('/', $evil), sent('/', $evil)),
		'403, 200 proxied, 200 duplicate',
		"$run, modsecurity - refused, not swallowed");

	# accepted by the upstream, whatever becomes of the answer

	foreach my $uri (qw! /modsecurity /lua/status /js/status !) {
		# njs leaves the upstream's status line as it is

		my $status = { '/modsecurity' => 403, '/lua/status' => 500,
			'/js/status' => 202 }->{$uri};
		my $body = event();

		$u->answer(202);

		is(join(', ', sent($uri, $body), sent('/', $body)),
			"$status proxied, 200 duplicate",
			"$run, $uri - accepted all the same");

		$u->answer(500);
		$body = event();

		is(sent($uri, $body), '500 proxied', "$run, $uri - failed");

		$u->answer(200);

		is(join(', ', sent('/', $body), sent('/', $body)),
			'200 proxied, 200 duplicate',
			"$run, $uri - is delivered again");
	}

	# headers as they are when the access phase comes

	my $body = event();
	my $signature = (sign('nextpay', $secret, $body))[0][1];
	my @moved = (unsigned => 1, headers => [ [ 'X-Other', $signature ] ]);

	is(join(', ', sent('/headers/set', $body),
		sent('/headers/set', $body, @moved, forged => 1),
		sent('/headers/set', $body, @moved),
		sent('/headers/set', $body, @moved)),
		'401, 401, 200 proxied, 200 duplicate', "$run, headers - set");
	is(sent('/headers/clear', event()), '401', "$run, headers - cleared");

	# answered by others

	foreach my $uri (qw! /lua/content /js/content !) {
		$body = event();

		is(join(', ', sent($uri, $body, forged => 1),
			sent($uri, $body), sent($uri, $body)),
			'401, 200 proxied, 200 duplicate',
			"$run, $uri - genuine");
		is($u->last()->{body}, $body, "$run, $uri - body");

		$u->script(500);
		$body = event();

		is(join(', ', map { sent($uri, $body) } 1 .. 3),
			'500 proxied, 200 proxied, 200 duplicate',
			"$run, $uri - failed, then accepted");
	}

	$body = event();

	my $r = hook('/echo/content', $body);

	is("$r->{status} $r->{body}", "200 $body", "$run, echo");
	is(answered(hook('/echo/content', $body)), '200 duplicate',
		"$run, echo - duplicate");
	is(hook('/echo/content', event(), forged => 1)->{status}, 401,
		"$run, echo - forged");

	# published, or not

	foreach my $size (0, 100000) {
		$body = event($size);

		is(hook('/nchan/publish', $body, forged => 1)->{status}, 401,
			"$run, nchan, $size - forged");
		is(request(uri => '/nchan/look', method => 'GET',
			headers => [ [ 'X-Test', test() ] ])->{status}, 404,
			"$run, nchan, $size - not published");
		is(hook('/nchan/publish', $body)->{status}, 202,
			"$run, nchan, $size - genuine");
		is(answered(hook('/nchan/publish', $body)), '200 duplicate',
			"$run, nchan, $size - duplicate");

		$r = request(uri => '/nchan/read', method => 'GET',
			headers => [ [ 'X-Test', test() ] ]);

		ok($r->{body} eq $body, "$run, nchan, $size - published");
		is(request(uri => '/nchan/publish', method => 'DELETE',
			headers => [ [ 'X-Test', test() ] ])->{status}, 401,
			"$run, nchan, $size - deleted without a signature");
	}
}

###############################################################################

sub delivered {
	my ($uri, $name, %opts) = @_;

	my $body = event(delete $opts{size});

	is(sent($uri, $body, %opts, forged => 1), '401',
		"$run, $uri, $name - forged");
	is(sent($uri, $body, %opts), '200 proxied',
		"$run, $uri, $name - genuine");
	is($u->last()->{body} eq $body, 1, "$run, $uri, $name - body");
	is(sent($uri, $body, %opts), '200 duplicate',
		"$run, $uri, $name - duplicate");
}

sub event {
	my ($size) = @_;

	return sprintf '{"id":"e%d","x":"%s"}', ++$n, 'x' x ($size || 0);
}

# one namespace, and one channel, of each event

sub test {
	return "test$n";
}

sub hook {
	my ($uri, $body, %opts) = @_;

	return request(%opts, uri => $uri,
		body => $opts{forged} ? "$body " : $body,
		headers => [
			$opts{unsigned} ? () : sign('nextpay', $secret, $body),
			[ 'X-Test', test() ],
			@{$opts{headers} || []}
		]);
}

sub sent {
	my ($uri, $body, %opts) = @_;
	return came_of($u, sub { hook($uri, $body, %opts) });
}

###############################################################################
