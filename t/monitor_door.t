#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the door of the monitor: who may ask, by which method and which
# arguments; the format that a client likes; and what cannot be configured.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use IO::Socket::UNIX;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy realip http_v2 gzip/);

$t->write_file_expand('nginx.conf', <<'EOF_');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8088;
        listen       unix:%%TESTDIR%%/monitor.sock;
        server_name  monitor.example.com *.wild.example.com .dot.example.com
                     "~^.+\.regex$" trail.*;

        location = /webhooks {
            webhook_monitor;
        }

        location = /any {
            webhook_monitor  from=any;
        }

        location = /limited {
            webhook_monitor;

            limit_except GET {
                deny all;
            }
        }

        location = /off {
            webhook_monitor  write=off from=local;
        }

        location = /pages {
            error_page  403 405 = /page;
            webhook_monitor;
        }

        location = /page {
            return  418;
        }
    }

    server {
        listen       127.0.0.1:8089;
        server_name  monitor.example.com;

        set_real_ip_from  127.0.0.1;
        real_ip_header    X-Client;

        gzip             on;
        gzip_types       text/plain application/json;
        gzip_min_length  1;
        charset          koi8-r;

        location = /webhooks {
            webhook_monitor;
        }
    }
}

EOF_

$t->plan(145)->run();

###############################################################################

# from where

my @ours = ('localhost', 'LOCALHOST', 'localhost:8088', '127.0.0.1',
	'127.0.0.1:8088', '10.0.0.1', '[::1]', '[::1]:80', 'monitor.example.com',
	'Monitor.Example.COM:99', 'a.wild.example.com', 'a.dot.example.com',
	'dot.example.com', 'localhost.', '127.0.0.1.');

my @others = ('example.com', 'evil.example', 'monitor.example.com.evil.example',
	'a.regex', 'wild.example.com', 'evilwild.example.com', 'xdot.example.com',
	'trail.evil.example', 'localhost.evil.example', '127.0.0.1.evil.example');

is(monitor('', host => $_)->{status}, 200, "host $_") foreach @ours;
is(monitor('', host => $_)->{status}, 403, "host $_") foreach @others;
is(monitor('', host => undef, http => '1.0')->{status}, 403, 'no host');
is(monitor('', host => 'evil.example', uri => '/any')->{status}, 200,
	'any host');

foreach my $name ('Forwarded', 'Via', 'X-Forwarded-For', 'X-Real-IP',
	'x-forwarded-for')
{
	is(monitor('', headers => [ [ $name, '127.0.0.1' ] ])->{status}, 403,
		"$name");
	is(monitor('', headers => [ [ $name, '' ] ])->{status}, 403,
		"$name, empty");
}

is(monitor('', headers => [ [ 'X-Forwarded', 1 ] ])->{status}, 200,
	'another header');
is(monitor('', uri => '/any', headers => [ [ 'X-Forwarded-For', '1.2.3.4' ] ])
	->{status}, 200, 'from any, forwarded');
is(monitor('', port => 8089)->{status}, 200, 'real address');
is(monitor('', port => 8089, headers => [ [ 'X-Client', '10.1.2.3' ] ])
	->{status}, 403, 'another real address');
is(monitor('', port => 8089, headers => [ [ 'X-Client', '127.9.8.7' ] ])
	->{status}, 200, 'local address');

my @lines = $t->lines(qr/\[error\].*webhook monitor is for local clients only/);
is(scalar(@lines), @others + 12, 'logged');

# what is asked is what the request line says, if it does

foreach my $case ([ 'monitor.example.com', 'evil.example', 200 ],
	[ 'monitor.example.com:80', 'evil.example', 200 ],
	[ 'evil.example', 'monitor.example.com', 403 ],
	[ 'evil.example:80', 'localhost', 403 ])
{
	my ($asked, $host, $status) = @$case;

	is(monitor('', uri => "http://$asked/webhooks", host => $host)->{status},
		$status, "asked $asked, host $host");
}

foreach my $host ('localhost, evil.example', 'localhost evil.example',
	'localhost@evil.example', 'localhost/evil.example', 'evil.example/localhost',
	"localhost\0.evil.example", 'localhost#', '127.1', '2130706433',
	'0x7f.0.0.1', '0177.0.0.1x', '[::1', '::1', '[localhost]', '_', '*',
	'*.wild.example.com.evil.example', 'localhost%00', '')
{
	like(monitor('', host => $host)->{status}, qr/^(?:400|403)$/,
		'host "' . $host =~ s/\0/?/r . '"');
}

like(monitor('', host => 'localhost', headers => [ [ 'Host', 'evil.example' ] ])
	->{status}, qr/^(?:400|403)$/, 'two hosts');

my $s = IO::Socket::UNIX->new(Peer => $t->testdir() . '/monitor.sock');
print $s "GET /webhooks HTTP/1.0\r\nHost: localhost\r\n\r\n";
like(join('', <$s>), qr/ 200 OK.*build_info/s, 'unix socket');

###############################################################################

# methods

foreach my $method (qw/ POST PUT DELETE OPTIONS PATCH PROPFIND /) {
	my $r = monitor('', method => $method);
	is($r->{status} . ' ' . ($r->header('Allow') || ''), '405 GET, HEAD',
		$method);
	is($r->header('Access-Control-Allow-Origin'), undef, "$method - no CORS");
}

my $head = monitor('', method => 'HEAD', head => 1);
is($head->{status} . ' ' . length($head->{body}), '200 0', 'HEAD');
is(monitor('', body => '{}')->{status}, 200, 'GET with a body');
is(monitor('', uri => '/limited')->{status}, 200, 'limit_except - GET');
is(monitor('', uri => '/limited', method => 'POST')->{status}, 403,
	'limit_except - POST');
is(monitor('', uri => '/pages', method => 'POST')->{status}, 418,
	'error pages');

###############################################################################

# arguments

foreach my $args ('x=1', 'format', 'format=', 'format=xml', 'Format=json',
	'format=prometheus&format=prometheus', 'format=prometheus&x', '=', '&',
	'format=Prometheus', 'format=prometheus%00', 'forma=prometheus',
	'format=prometheus&format', 'format=' . 'x' x 1025)
{
	my $r = monitor($args);
	like($r->{status} . ' ' . $r->header('Content-Type') . $r->{body},
		qr!^400 application/json\{"error":"bad_request","message":"[^"]+"\}\n\z!,
		'arguments ' . substr($args, 0, 40));
}

is(monitor('format=prometheus')->{status}, 200, 'format');
is(monitor('format=%70rometheus')->{status}, 200, 'format, escaped');

my $r = monitor();
is($r->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8',
	'content type');
is($r->header('Vary'), 'Accept', 'Vary');
is($r->header('Cache-Control'), 'no-store', 'Cache-Control');
is($r->header('X-Content-Type-Options'), 'nosniff', 'X-Content-Type-Options');

# what other modules make of it

foreach my $case ([ 'prometheus', 'text/plain; version=0.0.4; charset=utf-8' ],
	[ 'json', 'application/json' ], [ 'html', 'text/html; charset=utf-8' ])
{
	my ($format, $type) = @$case;

	my $r = monitor("format=$format", port => 8089,
		headers => [ [ 'Accept-Encoding', 'gzip' ] ]);

	is($r->header('Content-Encoding'), 'gzip', "$format - compressed");
	is($r->header('Content-Type'), $type, "$format - type");
}

###############################################################################

# what clients like: scrapers and tools as they say it

my %formats = ('text/plain' => 'prometheus', 'application/json' => 'json',
	'text/html' => 'html');

foreach my $case (
	[ undef, 'prometheus' ],
	[ '*/*', 'prometheus' ],
	[ 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;'
		. 'version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
		'prometheus' ],
	[ 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,'
		. 'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;'
		. 'version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4'
		. ';q=0.3,*/*;q=0.2', 'prometheus' ],
	[ 'application/vnd.google.protobuf;proto=io.prometheus.client.'
		. 'MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;'
		. 'q=0.3', 'prometheus' ],
	[ 'image/png', 'prometheus' ],
	[ '', 'prometheus' ],
	[ ';;,,q=', 'prometheus' ],
	[ 'application/json', 'json' ],
	[ 'application/JSON', 'json' ],
	[ 'application/*', 'json' ],
	[ 'text/*', 'prometheus' ],
	[ 'text/html', 'html' ],
	[ 'text/html;q=0.5, application/json;q=0.6', 'json' ],
	[ 'text/html;q=0.6, application/json;q=0.6', 'json' ],
	[ 'text/plain;q=0, */*', 'json' ],
	[ 'text/plain;q=0, application/json ; q=0.001, */*;q=0', 'json' ],
	[ 'text/plain;q=0, application/json;q=0, text/html;q=0', 'prometheus' ],
	[ 'text/html;q=0.7;x=y, */*;q=0.1', 'html' ],
	[ 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,'
		. 'image/webp,*/*;q=0.8', 'html' ],
	[ 'text/html;q=2, application/json;q=x', 'html' ],
) {
	my ($accept, $format) = @$case;

	is(format_of($accept), $format, 'Accept '
		. substr(defined $accept ? $accept : 'none', 0, 50));
}

###############################################################################

# what cannot be configured

foreach my $case (
	[ 'webhook_monitor; webhook_monitor;', '"webhook_monitor" directive is duplicate' ],
	[ 'webhook_monitor write=yes;', 'invalid parameter "write=yes"' ],
	[ 'webhook_monitor on;', 'invalid parameter "on"' ],
	[ 'webhook_monitor write=on from=any x;', 'invalid number of arguments' ],
	[ 'webhook_monitor; webhook_verify nextpay; webhook_secret a-secret-of-enough-bytes;',
		'"webhook_monitor" cannot be used in location "/x"' ],
	[ 'webhook_place "";', '"webhook_place" directive has an empty name' ],
	[ 'webhook_place $host;', '"webhook_place" directive cannot have variables' ],
	[ 'webhook_place ' . 'x' x 129 . ';', 'more than 128 bytes' ],
	[ "webhook_place \"a\nb\";", 'control characters' ],
	[ 'webhook_place a; webhook_place b;', 'is duplicate' ],
) {
	my ($conf, $text) = @$case;

	my ($rc, $out) = $t->conf_test("location /x { $conf }", in => 'server');
	ok($rc == 1 && $out =~ /\[emerg\].*\Q$text\E/, substr($conf, 0, 50))
		or diag($out);
}

my ($rc, $out) = $t->conf_test("webhook_verify nextpay;\n"
	. "webhook_secret a-secret-of-enough-bytes;\n"
	. 'location /x { webhook_monitor; }', in => 'server');
like("$rc $out", qr/^1 .*"webhook_verify off" there, or take out .webhook_verify nextpay. in \S+:\d+/s,
	'inherited');

($rc, $out) = $t->conf_test('location /x { webhook_monitor write=on from=any; }',
	in => 'server');
like("$rc $out", qr/^0 .*\[warn\].*guard the location/s, 'warned');

($rc, $out) = $t->conf_test('location /x { webhook_monitor write=on; }'
	. ' location /y { webhook_place ' . 'x' x 128 . '; }', in => 'server');
is($rc . ($out =~ /webhook/ ? $out : ''), 0, 'not warned');

###############################################################################

sub format_of {
	my ($accept) = @_;

	my $r = monitor('', headers => [ defined $accept
		? [ 'Accept', $accept ] : () ]);

	my ($type) = $r->header('Content-Type') =~ /^([\w\/]+)/;

	return $formats{$type};
}

###############################################################################
