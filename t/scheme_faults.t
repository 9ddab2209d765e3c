#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for faults of the server in each way in which a request is signed: by
# public keys, of which some are chosen by name; over forms, hashes of bodies
# and fields of headers; and in handshakes.  Each allocation fails, and each
# call of OpenSSL: the server answers so, and nothing else comes of it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Faults;
use Test::Nginx::Providers;
use Test::Nginx::Webhook;

use Digest::SHA qw/ hmac_sha256_hex /;
use MIME::Base64 qw/ encode_base64url /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->allow(qr/\(12: Cannot allocate memory\)/);
my $faults = Test::Nginx::Faults->new($t);
my $d = $t->testdir();

# events that have nothing which tells them apart here, and others

my @plain = qw/ wise utila sendgrid wechat-pay twilio orb basic /;
my @deduplicated = qw/ mandrill twilio-json tebex nmi /;

my @handshakes = qw/ meta x zoom slack okta trello /;

# where OpenSSL has nothing to do

my %no_calls = map { $_ => 1 } qw/ basic meta okta trello /;

my $token = 'the-agreed-verify-token';

foreach my $name (@plain, @deduplicated, @handshakes) {
	$t->write_file("$name.keys", join '', map { "$_\n" }
		secrets($name, 'other', 'new'));
}

# a set of keys of which one is named by the request

my %curve = curve('named');

$t->write_file('set.jwks', '{"keys":[' . join(',', map {
	my ($kid, $x, $y) = @$_;
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"$kid\",\"x\":\"$x\","
		. "\"y\":\"$y\"}"
} [ 'other', @{{ curve('other') }}{qw/ x y /} ],
	[ 'named', @curve{qw/ x y /} ]) . ']}');

chmod 0600, map { "$d/$_" } 'set.jwks', map { "$_.keys" } @plain,
	@deduplicated, @handshakes;

my $locations = join "\n", map {
	my $dedup = $_;

	map {
		my $source = source($_);

		"location /hooks/$_ { webhook_verify $_; webhook_secret"
			. " $source$_.keys; $dedup"
			. ' proxy_pass http://127.0.0.1:8081; }'

	} $dedup ? @deduplicated : @plain
} '', 'webhook_dedup zone=events;';

my $shakes = join "\n", map {
	my $token = $_ eq 'meta' ? "webhook_handshake_token $token;" : '';

	"location /shake/$_ { webhook_verify $_; webhook_secret file:$_.keys;"
		. " webhook_handshake on; $token"
		. ' proxy_pass http://127.0.0.1:8081; }'
} @handshakes;

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    access_log  off;

    request_pool_size     112;
    connection_pool_size  112;

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme named {
        algorithm  ecdsa-sha256;
        signature  \$http_x_sig encoding=base64url form=raw;
        key_id     \$http_x_key separator=, prefix=kid=;
        field      nonce \$http_x_key separator=, prefix=nonce=;
        timestamp  off;
        signed     \$webhook_field_nonce.\$request_body;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $locations

        $shakes

        location /named {
            webhook_verify  named;
            webhook_secret  jwks:set.jwks;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->plan(63)->run();

my ($worker) = $t->workers();
my $n = 0;

###############################################################################

# what is signed: genuine, and with a byte changed

my $sig = named('{"id":"named"}');

my %plain = (
	(map { my $name = $_; $name => sub { provided($name, n => 1) } }
		@plain),
	'a key of a set' => sub {
		(uri => '/named', body => '{"id":"named"}', headers => [
			[ 'X-Sig', $sig ], [ 'X-Key', 'kid=named,nonce=12' ] ])
	},
);

my %deduplicated = map {
	my $name = $_;
	$name => sub { provided($name, n => ++$n) }
} @deduplicated;

foreach my $mode (MEMORY, CALLS) {
	my $what = $mode == MEMORY ? 'allocations' : 'calls';

	foreach my $name (sort keys %plain) {
		next if $mode == CALLS and $no_calls{$name};

		is($faults->each($mode, passed($u, $plain{$name})), '',
			"$name, $what");
		is($faults->each($mode, forged($u, sub {
			forge($name, $plain{$name}->()) })), '',
			"$name, forged, $what");
	}

	foreach my $name (sort keys %deduplicated) {
		is($faults->each($mode, genuine($u, $deduplicated{$name})), '',
			"$name, $what");
		is($faults->each($mode, forged($u, sub {
			forge($name, $deduplicated{$name}->()) })), '',
			"$name, forged, $what");
	}
}

###############################################################################

# handshakes, and those who know nothing of what was agreed

my %shakes = (
	meta => sub {
		(method => 'GET', uri => '/shake/meta?hub.mode=subscribe'
			. "&hub.verify_token=$token&hub.challenge=1158201444")
	},
	x => sub { (method => 'GET', uri => '/shake/x?crc_token=a.b') },
	okta => sub {
		(method => 'GET', uri => '/shake/okta', headers => [
			[ 'X-Okta-Verification-Challenge', 'a-challenge' ] ])
	},
	trello => sub { (method => 'HEAD', uri => '/shake/trello', head => 1) },
	zoom => sub {
		provided('zoom', uri => '/shake/zoom', body => '{"event":'
			. '"endpoint.url_validation","payload":'
			. '{"plainToken":"a-token"}}')
	},
	slack => sub {
		provided('slack', uri => '/shake/slack', body =>
			'{"type":"url_verification","challenge":"a-challenge"}')
	},
);

foreach my $mode (MEMORY, CALLS) {
	my $what = $mode == MEMORY ? 'allocations' : 'calls';

	foreach my $name (@handshakes) {
		next if $mode == CALLS and $no_calls{$name};

		is($faults->each($mode, asked($u, 200, $shakes{$name})), '',
			"handshake of $name, $what");
	}

	foreach my $name (qw/ meta zoom slack /) {
		next if $mode == CALLS and $no_calls{$name};

		is($faults->each($mode, forged($u, sub {
			forge($name, $shakes{$name}->()) })), '',
			"handshake of $name, forged, $what");
	}
}

# what they answer when nothing fails is what the others know by heart

like(request($shakes{zoom}->())->{body}, qr/"encryptedToken":"@{[
	hmac_sha256_hex('a-token', (secrets('zoom', 'other'))[0]) ]}"/,
	'a MAC by the first secret');

is(join(' ', $t->workers()), $worker, 'the same worker');

is(join("\n", $t->lines(qr/malformed_|missing_|no_secret|unknown_key/)), '',
	'no fault is told to be the client\'s');

###############################################################################

sub provided {
	my ($name, %opts) = @_;

	return event($name, uri => "/hooks/$name", %opts);
}

# a byte differs: of the body, or of what was agreed

sub forge {
	my ($name, %event) = @_;

	if ($name eq 'basic') {
		$_->[1] =~ s/(.)(?=..\z)/chr(ord($1) ^ 1)/e
			foreach grep { $_->[0] eq 'Authorization' }
				@{$event{headers}};

	} elsif ($name eq 'meta') {
		$event{uri} =~ s/\Q$token\E/$token-not/;

	} else {
		$event{body} = flip($event{body});
	}

	return %event;
}

# a key of a curve, and what it signs, in numbers as they stand

sub curve {
	my ($name) = @_;

	my $file = "$d/$name.key";

	openssl('genpkey', '-algorithm', 'EC', '-pkeyopt',
		'ec_paramgen_curve:P-256', '-out', $file) unless -e $file;

	my $der = openssl('pkey', '-in', $file, '-pubout', '-outform', 'DER');

	return (x => encode_base64url(substr $der, -64, 32),
		y => encode_base64url(substr $der, -32));
}

sub named {
	my ($body) = @_;

	$t->write_file('text', "12.$body");

	my $der = openssl('dgst', '-sha256', '-sign', "$d/named.key",
		"$d/text");

	my ($r, $s) = unpack 'x3 C/a x C/a', $der;

	return encode_base64url(join '', map {
		substr "\0" x 32 . $_, -32 } $r, $s);
}

sub openssl {
	my (@args) = @_;
	local $/;

	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	binmode $fh;

	return scalar <$fh>;
}

###############################################################################
