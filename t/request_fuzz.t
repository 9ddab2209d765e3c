#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Requests with random faults: genuine ones of several providers, a few bytes of
# which were changed, lost, doubled or put in, on connections that are used
# again.  Whatever nginx makes of them, what the upstream gets has the signature
# of its own bytes; and genuine requests among them are let through.  So are
# requests of the monitor, which must not stop to answer.
#
#	TEST_SEED     seed of all that is random
#	TEST_SECONDS  how long to go on (3)

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $seconds = $ENV{TEST_SECONDS} || 3;
my $seed = defined $ENV{TEST_SEED} ? $ENV{TEST_SEED} : int(rand(2 ** 31));

srand($seed);

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(5);

alarm($seconds + 280) unless $ENV{TEST_NGINX_TIMEOUT};

my $secret = 'a secret of the fuzzed requests';
my $whsec = 'whsec_' . encode_base64($secret, '');

# whether a request is what each provider signs, told from what has arrived

my %schemes = (
	nextpay => sub {
		my ($header, $body) = @_;

		return lc $header->('x-nextpay-signature')
			eq unpack('H*', hmac('sha256', $secret, $body));
	},

	github => sub {
		my ($header, $body) = @_;

		return $header->('x-hub-signature-256')
			=~ /^sha256=(\w+)$/ && lc $1
			eq unpack('H*', hmac('sha256', $secret, $body));
	},

	shopify => sub {
		my ($header, $body) = @_;

		# with either name

		return grep { $header->($_)
			eq encode_base64(hmac('sha256', $secret, $body), '') }
			qw/ x-shopify-hmac-sha256 shopify-hmac-sha256 /;
	},

	stripe => sub {
		my ($header, $body) = @_;

		my %items;

		foreach (split /[ \t]*,[ \t]*/,
			$header->('stripe-signature'))
		{
			push @{$items{$1}}, $2 if /^(\w+)=(.*)$/;
		}

		my ($time) = @{$items{t} || []};
		return unless is_now($time) && @{$items{t}} == 1;

		return grep { lc $_ eq unpack('H*',
			hmac('sha256', $secret, "$time.$body")) } @{$items{v1}};
	},

	slack => sub {
		my ($header, $body) = @_;

		my $time = $header->('x-slack-request-timestamp');

		return is_now($time) && lc $header->('x-slack-signature')
			eq 'v0=' . unpack('H*',
				hmac('sha256', $secret, "v0:$time:$body"));
	},

	yoco => sub {
		my ($header, $body) = @_;

		my ($id, $time) = map { $header->("webhook-$_") }
			qw/ id timestamp /;

		return is_now($time) && grep { $_ eq 'v1,' . encode_base64(
			hmac('sha256', $secret, "$id.$time.$body"), '') }
			split ' ', $header->('webhook-signature');
	},
);

my $locations = join "\n", map {
	my $text = $_ eq 'yoco' ? $whsec : $secret;

	"location /$_ { webhook_verify $_; webhook_secret \"$text\";"
		. ' webhook_dedup zone=events; proxy_pass http://127.0.0.1:8081;'
		. " proxy_set_header X-Scheme $_; }"
} sort keys %schemes;

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    underscores_in_headers   on;
    ignore_invalid_headers   off;
    client_body_buffer_size  128;

    proxy_http_version         1.1;
    proxy_ignore_client_abort  on;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location = /webhooks {
            webhook_monitor  write=on;
        }

        $locations
    }
}

EOF

my $u = upstream(8081);

$t->run();

diag("seed $seed, $seconds seconds") if $ENV{TEST_SECONDS};

###############################################################################

my ($n, $id, %sent, %got, @forged, @refused) = (0, 0);

my $till = time() + $seconds;

while (time() < $till || $n < 100) {
	my ($genuine, $bytes) = (undef, '');

	# some requests on a connection, the first of which may be left alone

	if (rand() < 0.3) {
		($genuine, $bytes) = genuine();
	}

	foreach (0 .. int rand 3) {
		my (undef, $request) = rand() < 0.1 ? question() : genuine();
		$bytes .= mutate($request);
	}

	my $c = client();

	$c->send($bytes);

	# who has left need not be let through

	my ($first) = my @responses = $genuine ? $c->response() : ();

	$c->half_close();

	push @responses, all_responses($c);

	$c->close();

	push @refused, $genuine
		if $genuine && !($first && $first->{status} eq '200');

	$sent{$_->{status}}++ foreach @responses;

	look() unless ++$n % 50;
}

look();

diag("TEST_SEED=$seed") if @forged || @refused;
diag(explain($_)) foreach @forged;

is_deeply(\@forged, [], 'what the upstream gets is authentic');
is_deeply(\@refused, [], 'what is genuine is let through');
is(request(method => 'GET', uri => '/webhooks')->{status}, 200,
	'the monitor answers');
is_deeply([ sort keys %got ], [ sort keys %schemes ],
	'from each provider something is');
cmp_ok($sent{401} || 0, '>', $n / 10, 'and much is refused');

note("seed $seed, $n connections, answers: "
	. join ', ', map { "$sent{$_} x $_" } sort keys %sent);

###############################################################################

sub is_now {
	my ($time) = @_;
	return defined $time && $time =~ /^\d{10}$/ && abs($time - time()) < 400;
}

sub all_responses {
	my ($c) = @_;
	my @responses;

	while (my $r = $c->response()) {
		push @responses, $r;
	}

	return @responses;
}

sub genuine {
	my @names = sort keys %schemes;
	my $scheme = $names[rand @names];

	my $body = sprintf '{"id":"evt_%d","type":"payment.succeeded",'
		. '"data":{"amount":%d,"note":"%s"}}', ++$id, rand 1e6,
		'x' x rand 300;

	my ($head, $rest) = Test::Nginx::Webhook::_request(
		uri => "/$scheme", keepalive => 1, body => $body,
		headers => [ sign($scheme, $scheme eq 'yoco' ? $whsec : $secret,
			$body, ts => int time(),
			type => "orders/create") ],
		rand() < 0.3 ? (chunked => [ 1 + int rand 40 ]) : ());

	return ($scheme, $head . $rest);
}

# all, or one event, or that to be forgotten

sub question {
	my @names = sort keys %schemes;
	my $one = "server=localhost&location=/$names[rand @names]&key=evt_"
		. int rand($id || 1);

	my @args = (qw/ format=json format=html format=prometheus /, $one, $one,
		'zone=events&all=yes');

	my $n = int rand @args;

	return ('monitor', join '', Test::Nginx::Webhook::_request(
		method => $n > 3 ? 'DELETE' : 'GET', keepalive => 1,
		uri => "/webhooks?$args[$n]",
		headers => [ [ 'Webhook-Forget', 'events' ] ]));
}

sub mutate {
	my ($text) = @_;

	my @pieces = ("\r\n", "\n", "\0", ' ', ',', ';', '=', '-', '_', '{', '"',
		"\t", '0', "\xff", 'v1=', 't=', "\r\nContent-Length: 3",
		"\r\nTransfer-Encoding: chunked", "\r\n\r\n", '%00', '../');

	foreach (0 .. int rand 3) {
		my $at = int rand length $text;
		my $length = 1 + int rand(rand() < 0.8 ? 4 : 60);
		my $what = int rand 6;

		if ($what == 0) {
			substr($text, $at, 1) ^= chr(1 << int rand 8);

		} elsif ($what == 1) {
			substr($text, $at, $length) = '';

		} elsif ($what == 2) {
			substr($text, $at, 0) = substr($text, $at, $length);

		} elsif ($what == 3) {
			substr($text, $at, 0) = $pieces[rand @pieces];

		} elsif ($what == 4) {
			my @lines = split /(?<=\r\n)/, $text;
			my $line = rand @lines;
			splice @lines, $line, 0, $lines[$line];
			$text = join '', @lines;

		} else {
			my $from = int rand length $text;
			substr($text, $at, 0) = substr($text, $from, $length);
		}
	}

	return $text;
}

# what has reached the upstream

sub look {
	foreach my $r ($u->requests()) {
		my $header = sub {
			my ($name) = @_;

			# a list may go on in another line

			return join $name eq 'webhook-signature' ? ' ' : ',',
				Test::Nginx::Upstream::header($r, $name);
		};

		my $scheme = $header->('X-Scheme');

		if ($schemes{$scheme}
			&& $schemes{$scheme}->($header, $r->{body}))
		{
			$got{$scheme}++;

		} else {
			push @forged, $r;
		}
	}

	$u->reset();
}

###############################################################################
