#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for JSON: a document is judged to its last byte, wherever nginx keeps
# it, and takes no longer from a file than from memory.

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

my $secret = 'a secret of the JSON test';

# documents that are not valid, and what is the nearest valid one

my $note = sub { '{"id":"%s","note":"' . $_[0] . '"}' };

my @invalid = (
	[ 'unfinished string behind', '{"id":"%s"}"abc', '{"id":"%s"}    ' ],
	[ 'quote behind', '{"id":"%s"}"', '{"id":"%s"} ' ],
	[ 'unfinished escape behind', '{"id":"%s"}"\\', '{"id":"%s"}  ' ],
	[ 'string behind', '{"id":"%s"} "a"', '{"id":"%s"}    ' ],
	[ 'number behind', '{"id":"%s"}1', '{"id":"%s"} ' ],
	[ 'cut literal behind', '{"id":"%s"}tru', '{"id":"%s"}   ' ],
	[ 'comma behind', '{"id":"%s"},', '{"id":"%s"} ' ],
	[ 'NUL behind', "{\"id\":\"%s\"}\0", '{"id":"%s"} ' ],
	[ 'BOM', "\xef\xbb\xbf{\"id\":\"%s\"}", '   {"id":"%s"}' ],

	(map { my ($name, $char) = @$_; (
		[ "$name before", "$char\{\"id\":\"%s\"}", ' {"id":"%s"}' ],
		[ "$name within", "{$char\"id\":\"%s\"}", "{\t\"id\":\"%s\"}" ],
		[ "$name behind", "{\"id\":\"%s\"}$char", "{\"id\":\"%s\"}\n" ],
		[ "$name in a string", $note->("a${char}b"), $note->('a b') ],
	) } [ 'vertical tab', "\x0b" ], [ 'form feed', "\x0c" ]),

	(map { my ($name, $bad, $good) = @$_;
		[ $name, $note->($bad), $note->($good) ]
	}
		[ 'overlong, two bytes', "\xc0\x80", "\xc2\x80" ],
		[ 'overlong quote', "\xc0\xa2", "\xc2\xa2" ],
		[ 'overlong slash, C1', "\xc1\xbf", "\xc2\xbf" ],
		[ 'overlong, three bytes', "\xe0\x9f\xbf", "\xe0\xa0\xbf" ],
		[ 'overlong, four bytes', "\xf0\x8f\xbf\xbf",
			"\xf0\x90\xbf\xbf" ],
		[ 'first surrogate', "\xed\xa0\x80", "\xed\x9f\x80" ],
		[ 'last surrogate', "\xed\xbf\xbf", "\xee\xbf\xbf" ],
		[ 'over U+10FFFF', "\xf4\x90\x80\x80", "\xf4\x8f\x80\x80" ],
		[ 'F5', "\xf5\x80\x80\x80", "\xf1\x80\x80\x80" ],
		[ 'continuation alone', "a\x80", "aa" ],
		[ 'cut sequence', "\xe2\x82\"", "\xe2\x82\xac" ],
		[ 'FF', "abcdefgh\xff", 'abcdefghi' ],
		[ 'after 64 bytes', 'x' x 64 . "\xc0\x80",
			'x' x 64 . "\xc3\x80" ],

		[ 'high surrogate alone', '\ud800', '\ud700' ],
		[ 'low surrogate alone', '\udc00', '\ue000' ],
		[ 'two high ones', '\ud83d\ud83d', '\ud83d\udc3d' ],
		[ 'low before high', '\ude00\ud83d', '\ud83d\ude00' ],
		[ 'high before another', '\ud83d\u0041', '\u0041\u0041' ],
		[ 'high before an escape', '\ud83d\\\\ude00',
			'\u003d\\\\ude00' ],
		[ 'high before text', '\uD83Dx', '\uD7FDx' ],
		[ 'hexadecimal digit', '\u004g', '\u004f' ],
	),
);

my @valid = map { [ $_->[0], $note->($_->[1]) ] } (
	[ 'edges of UTF-8', "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf"
		. "\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" ],
	[ 'escaped backslash, no surrogate', '\\\\ud800\\\\' ],
	[ 'all escapes', '\"\\\\\/\b\f\n\r\t\u0000\uFFFF' ],
	[ 'longer than any buffer', '\u00e9' x 5000 ],
);

my @places = qw( /memory /file );

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->plan(@places * (@invalid + @valid) + 3);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_verify  nextpay;
    webhook_secret  "$secret";
    webhook_dedup   zone=events key=json;

    webhook_json_max_size  16m;
    client_max_body_size   16m;

    add_header  X-Verdict  "\$webhook_status \$webhook_reason"  always;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            client_body_buffer_size  16m;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /file {
            client_body_in_file_only  clean;
            proxy_pass  http://127.0.0.1:8081;
        }

        location /memory/reject {
            webhook_dedup  zone=events key=json on_missing=reject;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /file/reject {
            client_body_in_file_only  clean;
            webhook_dedup  zone=events key=json on_missing=reject;
            proxy_pass     http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->run();

my $id = 0;

###############################################################################

# an event that cannot be told is delivered each time, or refused, and nothing
# is remembered of it; its valid neighbour is delivered once

foreach my $place (@places) {
	foreach my $case (@invalid) {
		my ($name, @bodies) = @$case;
		my ($bad, $good) = map { s/%s/event-$id/r } @bodies;

		$id++;

		is(join(', ', sent($place, $bad, forged => 1),
			sent($place, $bad), sent($place, $bad),
			sent("$place/reject", $bad),
			sent($place, $good, forged => 1),
			sent($place, $good, chunked => [ 9 ]),
			sent($place, $good)),
			'401 signature_mismatch, '
			. '200 invalid_json proxied, 200 invalid_json proxied, '
			. '400 invalid_json, 401 signature_mismatch, '
			. '200 proxied, 200 already_delivered',
			"$name, $place");
	}

	foreach my $case (@valid) {
		my ($name, $body) = @$case;

		$body =~ s/%s/event-$id/;
		$id++;

		is(join(', ', sent($place, $body, forged => 1),
			sent($place, $body), sent("$place/reject", $body)),
			'401 signature_mismatch, 200 proxied, '
			. '200 already_delivered', "$name, $place");
	}
}

###############################################################################

# the costliest document: it is parsed in one piece, whatever it was read in

my ($worker) = $t->workers();
my %ticks;

foreach my $place (@places) {
	my $body = '{"id":"large' . $place . '","note":"'
		. '\u0041' x 1_300_000 . '"}';

	my $ticks = ticks();

	is(sent($place, $body), '200 proxied', "large, $place");

	$ticks{$place} = ticks() - $ticks;
}

cmp_ok($ticks{'/file'}, '<', 3 * $ticks{'/memory'} + 20,
	'no longer from a file');

###############################################################################

sub sent {
	my ($uri, $body, %opts) = @_;

	my $signed = $body;
	$signed =~ s/id/iD/ if $opts{forged};

	$u->reset();

	my $r = request(uri => $uri, body => $body,
		$opts{chunked} ? (chunked => $opts{chunked}) : (),
		headers => [ sign('nextpay', $secret, $signed) ]);

	my (undef, $reason) = split ' ', $r->header('X-Verdict') || '';
	my $last = $u->last();

	return join ' ', $r->{status}, defined $reason ? $reason : (),
		$last ? $last->{body} eq $body ? 'proxied' : 'another body'
		: $u->connections() ? 'connected' : ();
}

# what the worker has used of the processor

sub ticks {
	open my $fh, '<', "/proc/$worker/stat" or die "/proc: $!\n";
	my @fields = split ' ', (split /\)/, <$fh>)[-1];

	return $fields[11] + $fields[12];
}

###############################################################################
