#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# What a comparison costs does not show how near a forger has come: valgrind
# counts the same instructions wherever a digest, a token or the word of a
# handshake is wrong, and whichever secret is right.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ hmac_sha256_hex /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

plan(skip_all => 'no valgrind') unless grep { -x "$_/valgrind" }
	split /:/, $ENV{PATH};
plan(skip_all => 'sanitizers and valgrind exclude each other')
	if $ENV{TEST_NGINX_SANITIZE};

my @secrets = map { "secret $_ of more than 16 bytes" } 1 .. 4;
my $body = '{"id":"evt_1"}';

my $t = Test::Nginx->new()->has(qw/http/)->plan(10);

$t->write_file('secrets', join("\n", @secrets));

chmod 0600, $t->testdir() . '/secrets';

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

daemon off;
master_process off;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_secret  file:%%TESTDIR%%/secrets;

        location /hmac {
            webhook_verify github;
        }

        location /token {
            webhook_verify gitlab-token;
        }

        location /handshake {
            webhook_verify           meta;
            webhook_handshake        on;
            webhook_handshake_token  file:%%TESTDIR%%/secrets;
        }
    }
}

EOF

###############################################################################

my $nginx = $Test::Nginx::NGINX;
my $counted = $t->testdir() . '/counted';
my $dumps;

$Test::Nginx::NGINX = $counted;

count_in('verify_end');

same('wherever a digest is wrong', map {
	[ 401, by_digest(wrong(hmac_sha256_hex($body, $secrets[0]), $_)) ]
} 0, 1, 31, 62, 63);

same('whichever secret has signed', map {
	[ 404, by_digest(hmac_sha256_hex($body, $_)) ]
} @secrets);

# a token is compared before the body is there

count_in('verify_start');

same('wherever a token is wrong', map {
	[ 401, by_token($_) ]
} 'x' x length $secrets[0], map { wrong($secrets[0], $_) } 0, 1, -1);

same('whichever secret is the token', map { [ 404, by_token($_) ] } @secrets);

count_in('read_handshake');

same('wherever the word of a handshake is wrong', map {
	[ 401, by_word(wrong($secrets[0], $_)) ]
} 0, 1, -1);

###############################################################################

# other hex digits are of the same class

sub wrong {
	my ($text, $at) = @_;

	substr($text, $at, 1) =~ tr/0-9a-z /1-90b-za1/;

	return $text;
}

sub by_digest {
	return "POST /hmac HTTP/1.0\nX-Hub-Signature-256: sha256=$_[0]\n";
}

sub by_token {
	return "POST /token HTTP/1.0\nX-Gitlab-Token: $_[0]\n";
}

sub by_word {
	my ($word) = @_;

	$word =~ s/ /%20/g;

	return "GET /handshake?hub.mode=subscribe&hub.challenge=1"
		. "&hub.verify_token=$word HTTP/1.0\n";
}

# starts an nginx that dumps its counters each time that a function returns

sub count_in {
	my ($function) = @_;

	$t->stop() if defined $dumps;
	$dumps = 0;

	$t->write_file('counted', "#!/bin/sh\nexec valgrind -q --tool=callgrind "
		. "--callgrind-out-file=$counted.$function "
		. "--toggle-collect=ngx_http_webhook_$function "
		. "--dump-after=ngx_http_webhook_$function $nginx \"\$@\"\n");

	chmod 0755, $counted;

	$t->run();
	$dumps = "$counted.$function";
}

# the same number of instructions for all requests, with the status of each; it
# is the second time that counts, as symbols are bound when they are used first

sub same {
	my ($what, @requests) = @_;
	my (%seen, @statuses);

	foreach (@requests) {
		my ($status, $head) = @$_;

		instructions($head);
		my ($got, $n) = instructions($head);

		push @statuses, $got;
		$seen{$n}++;
	}

	is_deeply(\@statuses, [ map { $_->[0] } @requests ], "answered $what");

	ok(keys %seen == 1 && !$seen{0}, "the same instructions $what")
		or diag(explain(\%seen));
}

sub instructions {
	my ($head) = @_;

	my $content = $head =~ /^GET/ ? '' : $body;

	unlink glob "$dumps.*";

	$head =~ s/\n/\r\n/g;

	my $response = http($head . "Host: localhost\r\nContent-Length: "
		. length($content) . "\r\n\r\n$content");

	my ($status) = $response =~ m!^HTTP/1.1 (\d+) !;

	# it is whole before the answer is out

	my ($file) = glob "$dumps.*" or return ($status, 0);

	open my $f, '<', $file or die "$file: $!\n";

	return ($status, map { /^totals: (\d+)/ } <$f>);
}

###############################################################################
