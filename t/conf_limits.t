#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what is unusual and still has a meaning, or is refused by the
# configuration: times of a century, parameters that are given twice, short
# names of variables, lengths with zeros in front.

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
my $whsec = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';

my %tenant = (
	a => 'secret-of-tenant-a-0123456789',
	b => 'secret-of-tenant-b-0123456789',
);

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite/)->plan(77);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_in_flight_wait  0;

    map \$http_x_tenant \$tenant_secret {
        a  $tenant{a};
        b  $tenant{b};
    }

    map \$http_x_tenant \$tenant_end {
        a  a-0123456789;
        b  b-0123456789;
    }

    webhook_scheme century from=nextpay {
        retries  100y;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /plain {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /ttl {
            webhook_dedup  zone=events ttl=100y;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /retries {
            webhook_verify  century;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /window {
            webhook_verify     standard-webhooks;
            webhook_secret     $whsec;
            webhook_tolerance  68y;
            webhook_dedup      zone=events ttl=100y;
            proxy_pass         http://127.0.0.1:8081;
        }

        location /window/ttl {
            webhook_verify     standard-webhooks;
            webhook_secret     $whsec;
            webhook_tolerance  68y;
            webhook_dedup      zone=events ttl=1m;
            proxy_pass         http://127.0.0.1:8081;
        }

        # a text around a variable, the variable alone, and both

        location /whole {
            webhook_secret    \$tenant_secret;
            proxy_set_header  X-Secret \$tenant_secret;
            proxy_pass        http://127.0.0.1:8081;
        }

        location /combined {
            webhook_secret    x\$tenant_secret;
            proxy_set_header  X-Secret \$tenant_secret;
            proxy_pass        http://127.0.0.1:8081;
        }

        location /twice {
            webhook_secret    \$tenant_secret\$tenant_secret;
            proxy_set_header  X-Secret \$tenant_secret;
            proxy_pass        http://127.0.0.1:8081;
        }

        location /several {
            webhook_secret    secret-of-tenant-\$tenant_end
                              "x\${tenant_secret}y" $secret;
            proxy_set_header  X-Secret \$tenant_secret;
            proxy_set_header  X-Index \$webhook_secret_index;
            proxy_pass        http://127.0.0.1:8081;
        }

        location /several/dedup {
            webhook_secret    secret-of-tenant-\$tenant_end
                              "x\${tenant_secret}y" $secret;
            webhook_dedup     zone=events key=\$http_x_tenant;
            proxy_set_header  X-Secret \$tenant_secret;
            proxy_set_header  X-Index \$webhook_secret_index;
            proxy_pass        http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->run();

###############################################################################

# for as long as anybody may live

foreach my $uri ('/ttl', '/retries') {
	my $body = "{\"id\":\"$uri\"}";

	is(join(', ', map { answered(hook($uri, $body)) } 1 .. 3),
		'200, 200 duplicate, 200 duplicate', "$uri - 100y");
}

foreach my $uri ('/window', '/window/ttl') {
	foreach my $ahead (0, -3600 * 24 * 365 * 20, 3600 * 24 * 365 * 60) {
		my $name = "$uri, " . $ahead / 3600 / 24 / 365;
		my @headers = sign('standard-webhooks', $whsec, '{}',
			ts => $t->now() + $ahead);

		is(join(', ', map { answered(request(uri => $uri, body => '{}',
			headers => \@headers)) } 1 .. 3),
			'200, 200 duplicate, 200 duplicate',
			"$name years ahead");
	}
}

foreach my $case (
	[ 'webhook_dedup zone=events ttl=100y', 0 ],
	[ 'webhook_tolerance 68y', 0 ],
	[ 'webhook_tolerance 2147483647', 0 ],
	[ 'webhook_tolerance 2147483648', 1 ],
	[ 'webhook_tolerance 100y', 1 ],
	[ 'webhook_tolerance 5m 100y', 1 ],
	[ 'webhook_tolerance 100y 5m', 1 ],
	[ 'webhook_tolerance 99999999999999999999', 1 ],
	[ 'webhook_dedup zone=events ttl=99999999999999999999', 1 ],
	[ 'webhook_dedup zone=events ttl=', 1 ],
) {
	my ($line, $status) = @$case;

	is(tested(location($line)), $status ? 'refused' : 'fine', $line);
}

foreach my $case ([ '5m', 'fine' ], [ '68y', 'fine' ], [ '100y', 'refused' ],
	[ '5m 100y', 'refused' ])
{
	my ($time, $verdict) = @$case;

	is(tested("webhook_scheme s from=standard-webhooks {\n"
		. "tolerance $time;\n}\n" . location('')), $verdict,
		"tolerance $time");
}

###############################################################################

# one place for one event

my $other = 'webhook_dedup_zone zone=others:1m;';

foreach my $case (
	[ 'webhook_dedup zone=events', 'fine' ],
	[ 'webhook_dedup ttl=1h zone=events', 'fine' ],
	[ 'webhook_dedup zone=events zone=events', 'refused' ],
	[ 'webhook_dedup zone=events zone=others', 'refused' ],
	[ 'webhook_dedup zone=events ttl=1h zone=others', 'refused' ],
	[ 'webhook_dedup zone=events zone=unknown', 'refused' ],
	[ 'webhook_dedup ttl=1h', 'refused' ],
	[ 'webhook_dedup zone=', 'refused' ],
) {
	my ($line, $verdict) = @$case;

	is(tested($other . location($line)), $verdict, $line);
}

foreach my $case (
	[ 'zone=z:1m', 'fine' ],
	[ 'zone=z:1m zone=z:1m', 'refused' ],
	[ 'zone=z:1m zone=y:1m', 'refused' ],
	[ 'zone=z:1m zone=y', 'refused' ],
	[ 'zone=z zone=z:1m', 'refused' ],
	[ 'state=%%TESTDIR%%/z.state', 'refused' ],
) {
	my ($args, $verdict) = @$case;

	is(tested("webhook_dedup_zone $args;" . location('')), $verdict,
		"webhook_dedup_zone $args");
}

###############################################################################

# Secrets by short names.  Whose text the client may choose cannot be one.

foreach my $case (
	[ '$a', 'fine' ],
	[ '$ar', 'fine' ],
	[ '$arg', 'fine' ],
	[ '$args', 'refused' ],
	[ '$argument', 'fine' ],
	[ '$cookie', 'fine' ],
	[ '$cookies', 'fine' ],
	[ '$h', 'fine' ],
	[ '$http', 'fine' ],
	[ '$arg_a', 'refused' ],
	[ '$ARG_a', 'refused' ],
	[ '$cookie_a', 'refused' ],
	[ '$Cookie_A', 'refused' ],
	[ '$http_a', 'refused' ],
	[ 'x$a', 'fine' ],
	[ '$unknown', 'refused' ],
	[ '$', 'refused' ],
	[ '${a', 'refused' ],
) {
	my ($text, $verdict) = @$case;

	my $set = join '', map { "    map \$uri \$$_ { default x; }\n" }
		qw/ a ar arg argument cookie cookies h http /;

	is(tested($set . location('', $text)), $verdict,
		"webhook_secret $text");
}

###############################################################################

# no body at all, however its length is written

foreach my $length ('0', '00', '000', '0000000000') {
	my $count = $u->count();

	is(answered(hook('/plain', '', length => $length)) . ' '
		. ($u->count() - $count), '200 1', "Content-Length: $length");
}

is(answered(hook('/plain', '{}', length => '002')), 200,
	'Content-Length: 002');
is($u->last()->{body}, '{}', 'Content-Length: 002 - body');

foreach my $length ('00', '000') {
	my @headers = sign('nextpay', $secret, 'something');

	is(answered(request(uri => '/plain', body => '', length => $length,
		headers => \@headers)), 401,
		"Content-Length: $length - forged");
}

###############################################################################

# a secret made of a variable is used, and the variable stays what it is

foreach my $who ('a', 'b') {
	my $s = $tenant{$who};

	foreach my $case (
		[ '/whole', $s ],
		[ '/combined', "x$s" ],
		[ '/twice', $s . $s ],
		[ '/several', $s, 1 ],
		[ '/several', "x${s}y", 2 ],
		[ '/several', $secret, 3 ],
		[ '/several/dedup', "x${s}y", 2 ],
	) {
		my ($uri, $text, $index) = @$case;
		my $name = "tenant $who, $uri" . ($index ? ", $index" : '');

		my $r = hook($uri, "{\"id\":\"$who\"}", secret => $text,
			more => [ [ 'X-Tenant', $who ] ]);
		my $seen = $u->last();

		is(join(' ', answered($r), map { my $v
			= Test::Nginx::Upstream::header($seen, $_);
			defined $v ? $v : () } 'X-Secret', 'X-Index'),
			join(' ', 200, $s, $index || ()), $name);
	}
}

is(join(', ', map { answered(hook($_, '{}', secret => "x$tenant{a}",
	more => [ [ 'X-Tenant', 'b' ] ])) } '/whole', '/combined', '/twice',
	'/several'), '401, 401, 401, 401', 'secret of another tenant');

###############################################################################

sub hook {
	my ($uri, $body, %opts) = @_;

	my @headers = sign('nextpay', $opts{secret} || $secret, $body);

	return request(%opts, uri => $uri, body => $body,
		headers => [ @headers, @{$opts{more} || []} ]);
}

sub location {
	my ($line, $secret) = @_;

	$line .= ';' if $line ne '';
	$secret = $whsec unless defined $secret;

	# with a secret that has variables there is no scheme for its form

	my $scheme = $secret eq $whsec ? 'standard-webhooks' : 'nextpay';

	return <<"EOF";
    webhook_dedup_zone  zone=events:1m;

    server {
        listen  127.0.0.1:8998;

        location / {
            webhook_verify  $scheme;
            webhook_secret  $secret;
            $line
            proxy_pass      http://127.0.0.1:8999;
        }
    }
EOF
}

sub tested {
	my ($text) = @_;

	my ($status, $out) = $t->conf_test($text, in => 'http');

	return 'refused' if $status == 1 and $out =~ /\[emerg\]/;
	return $status ? "failed: $status" : 'fine';
}

###############################################################################
