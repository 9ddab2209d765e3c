#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what the logs tell, at debug level too: no secret, no digest that
# was expected, and none that was received.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64 qw/ decode_base64 encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy map debug/)->has_faketime()
	->plan(17);

my $now = 1764000000;

my %secrets = (
	'file' => 'QxFileSecretOfTheLogTest',
	'literal' => 'QxLiteralSecretOfTheLogTest',
	'second' => 'QxSecondSecretOfTheLogTest',
	'variable' => 'QxVariableSecretOfTheLogTest',
	'joined' => 'QxJoinedSecretOfTheLogTest-localhost',
	'env' => 'QxEnvironmentSecretOfTheLogTest',
	'whsec' => 'whsec_' . encode_base64('QxDecodedSecretOfTheLogTest', ''),
	'whsec-var' => 'whsec_' . encode_base64('QxVarDecodedOfTheLogTest', ''),
	'undecoded' => 'whsec_QxUndecodedSecretOfTheLog!',
	'token' => 'QxTokenSecretOfTheLogTest',
);

$t->write_file('secret', "$secrets{file}\n");
chmod 0600, $t->testdir() . '/secret';

$ENV{TEST_SECRET_ENV} = $secrets{env};

my $conf = <<'EOF';

%%TEST_GLOBALS%%

env TEST_SECRET_ENV;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    map $http_x_tenant $tenant {
        one  S{variable};
    }

    map $http_x_tenant $encoded {
        one  S{whsec-var};
        two  S{undecoded};
    }

    webhook_scheme hooks {
        signature  $http_x_signature separator=, prefix=v1=;
        signed     "$http_x_id.$request_body";
        event_id   $http_x_id;
    }

    webhook_scheme decoded from=hooks {
        signature  $http_x_signature separator=, prefix=v1= encoding=base64;
        secret     prefix=whsec_ encoding=base64;
    }

    webhook_scheme static {
        algorithm  token;
        signature  $http_x_token;
        event_id   $http_x_id;
    }

    webhook_dedup  zone=events key=log;

    webhook_diagnose  on;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  hooks;

        location /file {
            webhook_secret  file:secret;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /literal {
            webhook_secret  S{literal} S{second};
            proxy_pass      http://127.0.0.1:8081;
        }

        location /variable {
            webhook_secret  $tenant;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /joined {
            webhook_secret  "QxJoinedSecretOfTheLogTest-$server_name";
            proxy_pass      http://127.0.0.1:8081;
        }

        location /env {
            webhook_secret  env:TEST_SECRET_ENV;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /whsec {
            webhook_verify  decoded;
            webhook_secret  S{whsec};
            proxy_pass      http://127.0.0.1:8081;
        }

        location /encoded {
            webhook_verify  decoded;
            webhook_secret  $encoded;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /token {
            webhook_verify  static;
            webhook_secret  S{token};
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

$conf =~ s/S\{([\w-]+)\}/$secrets{$1}/g;

$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

my $ids = 0;
my (@digests, @got);

foreach my $case (
	[ 'file', $secrets{file} ],
	[ 'literal', $secrets{literal} ],
	[ 'literal', $secrets{second} ],
	[ 'variable', $secrets{variable}, [ 'X-Tenant', 'one' ] ],
	[ 'joined', $secrets{joined} ],
	[ 'env', $secrets{env} ],
	[ 'whsec', 'QxDecodedSecretOfTheLogTest' ],
	[ 'encoded', 'QxVarDecodedOfTheLogTest', [ 'X-Tenant', 'one' ] ])
{
	my ($at, $key, @headers) = @$case;

	my $id = 'event-' . ++$ids;
	my $body = '{"id":"a"}';
	my $base64 = $at =~ /whsec|encoded/;
	my $text = sub { 'v1=' . ($base64 ? encode_base64($_[0], '')
		: unpack 'H*', $_[0]) };

	my $digest = hmac('sha256', $key, "$id.$body");
	my $other = hmac('sha256', 'another key', "$id.$body");

	push @digests, $digest, $other;

	# genuine and again, forged, malformed, too many, of another body

	foreach my $value ($text->($digest), $text->($digest), $text->($other),
		$text->($digest) . 'z', join(',', ($text->($other)) x 17),
		join(',', $text->($other), $text->($digest) . '?'))
	{
		my $r = request(uri => "/$at", body => $body,
			headers => [ [ 'X-Id', $id ],
			[ 'X-Signature', $value ], @headers ]);
		push @got, $r->{status};
	}

	my $r = request(uri => "/$at", body => "$body ",
		headers => [ [ 'X-Id', $id ],
		[ 'X-Signature', $text->($digest) ], @headers ],
		pieces => 'bytes');
	push @got, $r->{status};
	push @digests, hmac('sha256', $key, "$id.$body ");
}

is(join(' ', @got), join(' ', ('200 200 401 401 401 401 401') x 8), 'answers');

@got = map { request(uri => "/$_->[0]", body => '{}', headers => [
	[ 'X-Id', "other-$_->[0]" ], [ 'X-Token', $_->[1] ],
	[ 'X-Signature', 'v1=AAAA' ], [ 'X-Tenant', $_->[2] || '' ]
	])->{status} } [ 'token', $secrets{token} ],
	[ 'token', $secrets{token} ],
	[ 'token', 'QxTokenThatIsWrong' ],
	[ 'encoded', '', 'two' ], [ 'variable', '', 'none' ],
	[ 'encoded', '', 'none' ];

# where the digest is malformed it is not said what the secret is

like(join(' ', @got), qr/^200 200 401 (?:503|401) 401 401$/,
	'answers with tokens');

# what does not decode, with a digest that does

is(request(uri => '/encoded', body => '{}', headers => [ [ 'X-Id', 'last' ],
	[ 'X-Tenant', 'two' ], [ 'X-Signature', 'v1='
	. encode_base64("\1" x 32, '') ] ])->{status}, 503,
	'secret that does not decode');

$t->reload();
$t->stop();

# lines of several are one; core writes the headers that it receives and sends,
# and those of no one else

my $log = $t->read_file('error.log') . $t->read_file('nginx.out');
my $lines = () = $log =~ /\[debug\]/g;

cmp_ok($lines, '>', 1000, 'debug log');

my @entries = split m!^(?=\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[)!m, $log;

@entries = grep {
	!/\A\S+ \S+ \[debug\] \d+#\d+: \*\d+ http header: "X-(?:Signature|Token): [^\n]*"\n\z/
	and !/\A\S+ \S+ \[debug\] \d+#\d+: \*\d+ http proxy header: "X-(?:Signature|Token): [^\n]*"\n\z/
	and !/\A\S+ \S+ \[debug\] \d+#\d+: \*\d+ http proxy header:\n"POST /
} @entries;

my $rest = join '', @entries;

like($rest, qr/rejected/, 'refusals are logged');

foreach my $name (sort keys %secrets) {
	my $text = $secrets{$name};
	my @forms = ($text, forms($text));

	push @forms, decoded($1), forms(decoded($1)) if $text =~ /^whsec_(.*)/;

	is(join("\n", leaks(@forms)), '', "no secret: $name");
}

my @forms = map { forms($_), $_ } @digests,
	map { hmac('sha256', $_, 'x') } 'QxToken';

is(join("\n", leaks(@forms)), '', 'no digest');
is(join("\n", leaks('QxTokenThatIsWrong', map { "v1=$_" } '00', 'AAAA')), '',
	'no token, and no text received');

$t->run();

###############################################################################

sub decoded {
	return decode_base64($_[0]);
}

sub forms {
	my ($bytes) = @_;

	my $hex = unpack 'H*', $bytes;
	my $base64 = encode_base64($bytes, '');

	# parts of it too

	return (substr($hex, 0, 16), substr($hex, -16), uc substr($hex, 0, 16),
		substr($base64, 0, 12), substr($base64, -14));
}

sub leaks {
	my (@forms) = @_;
	my @found;

	foreach my $form (@forms) {
		push @found, map { s/\n.*//sr } grep { index($_, $form) >= 0 }
			@entries;
	}

	return @found;
}

###############################################################################
