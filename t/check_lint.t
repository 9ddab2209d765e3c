#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook-check: what it warns of where nginx -t does not, in the
# place where it is so and not in the one beside it; files that the running
# nginx has not read yet; forms of a request that mean the same.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Check;
use Test::Nginx::Webhook;

use JSON::PP qw/ encode_json /;
use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(32);
my $dir = $t->testdir();

my @names = qw/ fine returns rewrites plain redirects permanent absolute
	scheme quoted breaks inner open small long aborted off /;

my %secret = map { $_ => "the secret of the place $_" } @names;

foreach my $name (@names) {
	$t->write_file("secret.$name", "$secret{$name}\n");
	chmod 0600, "$dir/secret.$name";
}

my %more = (
	returns => 'if ($arg_a) { return 404; }',
	rewrites => 'rewrite ^ /off last;',
	plain => 'if ($arg_a = "") { rewrite ^ /off; }',
	redirects => 'rewrite ^ /off redirect;',
	permanent => 'if ($arg_a = "") { rewrite ^ /off permanent; }',
	absolute => 'rewrite ^ https://example.com/ break;',
	scheme => 'rewrite ^ $scheme://example.com/;',
	quoted => 'rewrite ^ "${scheme}://example.com/" break;',
	breaks => 'rewrite ^ /off break;',
	open => 'satisfy any; allow 127.0.0.1; deny all;',
	small => '',
	long => 'client_max_body_size 2m;',
	aborted => 'proxy_ignore_client_abort off;',
	off => 'webhook_verify off; return 404;',
);

my $locations = join '', map { <<"EOF_" } grep { $_ ne 'inner' } @names;
        location = /$_ {
            webhook_secret  file:secret.$_;
            proxy_pass      http://127.0.0.1:8081;
            ${\ ($_ eq 'small' ? '' : $more{$_} && $more{$_} =~ /client_max/
                ? '' : 'client_max_body_size 1m;')}
            ${\ ($more{$_} || '')}
        }
EOF_

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;
    webhook_dedup       zone=events;
    webhook_verify      nextpay;

    proxy_ignore_client_abort  on;

    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_verify  off;
            webhook_monitor;
        }

        location / {
            webhook_verify  off;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

$locations
        location /outer {
            webhook_verify  off;
            return          404;

            location /outer/inner {
                webhook_verify        nextpay;
                webhook_secret        file:secret.inner;
                client_max_body_size  1m;
                proxy_pass            http://127.0.0.1:8081;
            }
        }
    }
}

EOF_

$t->run();

###############################################################################

# warnings, by place

my ($status, $out) = webhook_check($t);
my %warned;

foreach my $part (split /^(?=place )/m, $out) {
	my ($place) = $part =~ m!^place\s+hooks\.example\.com/\S*?(\w+),! or next;
	$warned{$place} = [ $part =~ /^warning\s+(.*)$/mg ];
}

is($status, 0, 'list');
is(join("\n", map { @{$warned{$_}} } qw/ fine quoted breaks inner /), '',
	'nothing');

my %expected = (
	returns => qr/^"return" in \S+:\d+ answers before anything is verified$/,
	(map { $_ => qr/^"rewrite" in \S+:\d+ answers before anything is verified$/ }
		qw/ redirects permanent absolute scheme /),
	(map { $_ => qr/^"rewrite" in \S+:\d+ takes requests to another location, which may not verify them$/ }
		qw/ rewrites plain /),
	open => qr/^"satisfy any": who is allowed otherwise is not verified$/,
	small => qr/^"client_max_body_size" is not set: bodies over 1m get 413$/,
	long => qr/^bodies over "webhook_json_max_size", 1m, are let through/,
	aborted => qr/^"proxy_ignore_client_abort" is off: /,
);

foreach my $name (sort keys %expected) {
	my @warned = @{$warned{$name} || []};

	is(scalar @warned, 1, "$name - one");
	like($warned[0], $expected{$name}, $name);
}

ok(!exists $warned{off}, 'where nothing is verified');

# nginx does as it is said

is(join(' ', map { request(port => 8080, uri => $_ eq 'inner' ? '/outer/inner'
	: "/$_", body => '{}')->{status} } qw/ fine quoted breaks inner
	redirects permanent absolute scheme rewrites plain /),
	'401 401 401 401 302 301 302 302 404 404', 'who is verified');

# what the running nginx has not read

my $monitor = 'http://127.0.0.1:' . port(8088);
my $newer = qr/^warning\s+(\S+) is newer than what the running nginx has read$/m;

utime 1, 1, "$dir/nginx.conf", map { "$dir/secret.$_" } @names;
unlike((webhook_check($t, '--monitor', "$monitor/webhooks"))[1], $newer,
	'all was read');

utime 2 ** 31, 2 ** 31, "$dir/secret.long";
is(join(' ', (webhook_check($t, '--monitor', "$monitor/webhooks"))[1]
	=~ /$newer/g), "$dir/secret.long", 'a newer secret');

like((webhook_check($t, '--monitor', "$monitor/other"))[1],
	qr/^warning\s+\S+ is no monitor$/m, 'no monitor');
like((webhook_check($t, '--monitor', 'http://127.0.0.1:' . port(8079)
	. '/webhooks'))[1], qr/^warning\s+\S+ does not answer$/m, 'nobody');

# forms of one request

my $body = '{"id":"1","n":"\u00e4"}';
my @signed = ('X-Nextpay-Signature',
	unpack 'H*', hmac('sha256', $secret{fine}, $body));

$t->write_file('raw', "POST /fine HTTP/1.1\r\nHost: hooks.example.com\r\n"
	. "$signed[0]: $signed[1]\r\n\r\n$body");

my %json = (method => 'POST', url => 'https://hooks.example.com/fine',
	headers => { @signed });

$t->write_file('text', encode_json({ %json, body => $body }));
$t->write_file('base64', encode_json({ %json,
	body_base64 => encode_base64($body, '') }));

is(join(' ', map { (webhook_check($t, 'verify', $_))[0] }
	qw/ raw text base64 /), '0 0 0', 'one request, three forms');

$body =~ s/1/2/;

$t->write_file('raw', ($t->read_file('raw') =~ s/"1"/"2"/r));
$t->write_file('text', encode_json({ %json, body => $body }));
$t->write_file('base64', encode_json({ %json,
	body_base64 => encode_base64($body, '') }));

is(join(' ', map { (webhook_check($t, 'verify', $_))[0] }
	qw/ raw text base64 /), '1 1 1', 'another one, in three forms');

###############################################################################
