package Test::Nginx::Webhook;

# (C) ngx_http_webhook_module contributors

# What tests of webhooks share: signed requests, an upstream that records,
# vectors.

###############################################################################

=head1 SYNOPSIS

	use Test::Nginx;
	use Test::Nginx::Webhook;

	my $t = Test::Nginx->new()->plan(3);
	...
	my $u = upstream(8081);
	$t->run();

	my $r = deliver('nextpay', $secret, '{"id":"a"}', uri => '/hooks');

	is($r->{status}, 200, 'accepted');
	is($u->count(), 1, 'proxied');
	is($u->last()->{body}, '{"id":"a"}', 'body');

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/
	upstream client request deliver answered came_of responses summary
	judged flip pattern load_vectors
	hmac sign forgery sign_bamotf sign_bitnob sign_bitnob_timestamped sign_yoco
	sign_standard_webhooks sign_nextpay sign_stripe sign_github sign_slack
	sign_shopify
/;

###############################################################################

use Digest::MD5 qw//;
use Digest::SHA qw//;
use IO::Select;
use JSON::PP qw//;
use MIME::Base64 qw/ decode_base64 encode_base64 /;
use Test::Nginx qw//;
use Test::Nginx::Client;
use Test::Nginx::Upstream;
use Time::HiRes qw/ time /;

###############################################################################

=head1 FUNCTIONS

=over

=item upstream(8081)

Starts an upstream, see Test::Nginx::Upstream.

=item client(port => 8080)

A connection, see Test::Nginx::Client.

=cut

sub upstream {
	return Test::Nginx::Upstream->new(@_);
}

sub client {
	return Test::Nginx::Client->new(@_);
}

=item request(%opts)

Sends one request and returns the Test::Nginx::Response; one with status 0 if
there is none.

	uri       '/'
	method    POST
	headers   [ [ name, value ], ... ]; a value may be [ several, lines ]
	body      bytes, ''
	http      '1.1' or '1.0'
	host      localhost; undef for none
	length    what Content-Length says, if not the body's length; undef for
	          none
	chunked   1, or [ lengths ] of the chunks, the last takes the rest
	pieces    [ lengths ]: after the header, the body (with its chunk
	          marks) is sent in pieces of these lengths, the last takes the
	          rest; 'bytes': byte by byte.  Without it, header and body go
	          out in one piece
	delay     pause between pieces
	keepalive 1: no "Connection: close", {client} of the response can be
	          used again
	client    an open connection to use (keepalive is then on unless given)
	port, peer  as for client()
	timeout, head, interim  as for response()
	send_only 1: returns the client, the response is not waited for

=cut

sub request {
	my (%opts) = @_;

	my $client = $opts{client} || client(map { $_ => $opts{$_} }
		grep { defined $opts{$_} } qw/ port peer /);

	my ($head, $body) = _request(%opts);

	my @pieces;

	if (!defined $opts{pieces}) {
		@pieces = ($head . $body);

	} elsif (ref $opts{pieces}) {
		@pieces = ($head, _cut($body, @{$opts{pieces}}));

	} else {
		@pieces = ($head, split //, $body);
	}

	my $delay = defined $opts{delay} ? $opts{delay}
		: @pieces > 20 ? 0.0005 : 0.005;

	foreach my $i (0 .. $#pieces) {
		$client->pause($delay) if $i;
		$client->send($pieces[$i]) or last;
	}

	return $client if $opts{send_only};

	return $client->response(map { $_ => $opts{$_} }
			grep { defined $opts{$_} } qw/ timeout head interim /)
		|| bless { status => 0, reason => '', headers => [], body => '',
			raw => '', complete => 0, interim => [],
			client => $client }, 'Test::Nginx::Response';
}

sub _request {
	my (%opts) = @_;

	my $body = defined $opts{body} ? $opts{body} : '';
	my $method = $opts{method} || 'POST';
	my $version = $opts{http} || '1.1';
	my $keepalive = defined $opts{keepalive} ? $opts{keepalive}
		: $opts{client};

	my @lines = ("$method " . (defined $opts{uri} ? $opts{uri} : '/')
		. " HTTP/$version");

	my $host = exists $opts{host} ? $opts{host} : 'localhost';
	push @lines, "Host: $host" if defined $host;

	push @lines, 'Connection: close' if !$keepalive and $version eq '1.1';
	push @lines, 'Connection: keep-alive' if $keepalive and $version eq '1.0';

	foreach my $header (@{$opts{headers} || []}) {
		my ($name, $value) = @$header;
		push @lines, map { "$name: $_" } ref $value ? @$value : $value;
	}

	if ($opts{chunked}) {
		push @lines, 'Transfer-Encoding: chunked';

		my @lengths = ref $opts{chunked} ? @{$opts{chunked}} : ();

		$body = join '', map { sprintf("%x\r\n%s\r\n", length $_, $_) }
			grep { length $_ } _cut($body, @lengths);
		$body .= "0\r\n\r\n";

	} elsif (exists $opts{length}) {
		push @lines, "Content-Length: $opts{length}"
			if defined $opts{length};

	} elsif (length $body or $method !~ /^(?:GET|HEAD)$/) {
		push @lines, 'Content-Length: ' . length $body;
	}

	return (join('', map { "$_\r\n" } @lines, ''), $body);
}

sub _cut {
	my ($text, @lengths) = @_;

	my @pieces = map { substr($text, 0, $_, '') } @lengths;

	return grep { length $_ } @pieces, $text;
}

=item deliver(scheme, secret, body, %opts)

A request() with the headers that sign() makes; opts are those of both, and
further C<headers> are added.

=cut

sub deliver {
	my ($scheme, $secret, $body, %opts) = @_;

	return request(%opts, body => $body, headers => [
		sign($scheme, $secret, $body, %opts),
		@{$opts{headers} || []}
	]);
}

=item answered(response)

What an answer says, in words: the status, and of "incomplete", "duplicate" and
"retry N" what is true of it; "no answer" if there is none.

=item came_of(upstream, sub { request(...) })

The same for what the code returns, with "proxied" behind the status if the
upstream has a request more than before.

=cut

sub answered {
	my ($r, $proxied) = @_;

	return 'no answer' unless $r;

	my $retry = $r->header('Retry-After');

	return join ' ', $r->{status}, $proxied ? 'proxied' : (),
		$r->{complete} ? () : 'incomplete',
		defined $r->header('Webhook-Duplicate') ? 'duplicate' : (),
		defined $retry ? "retry $retry" : ();
}

sub came_of {
	my ($u, $code) = @_;

	my $count = $u->count();
	my $r = $code->();

	return answered($r, $u->count() > $count);
}

=item responses(n, [ clients ])

The first n responses that come to the clients, which are then closed and no
longer among them.

=item summary(responses)

How many there are of each: "1 x 200, 2 x 200 duplicate".

=cut

sub responses {
	my ($n, $clients) = @_;

	my @responses;
	my $till = time() + 20;

	while (@responses < $n) {
		my %c = map { fileno($_->socket()) => $_ } @$clients;

		my @ready = IO::Select->new(map { $_->socket() } @$clients)
			->can_read($till - time()) or last;

		foreach my $c (@c{map { fileno $_ } @ready}) {
			last if @responses == $n;
			push @responses, $c->response();
			$c->close();
		}

		@$clients = grep { $_->socket() } @$clients;
	}

	return @responses;
}

sub summary {
	my (@responses) = @_;

	my %n;
	$n{answered($_)}++ foreach @responses;

	return join ', ', map { "$n{$_} x $_" } sort keys %n;
}

=item judged(upstream, %opts)

Sends a request() and tells what was made of it: the status, what the header
X-Verdict of the answer says, and how many requests have reached the upstream;
and if one has, the header X-Secret, if there is one, and "other body" if it
was not the one that was sent.  The upstream does what C<answer> says, 200
unless told.

=cut

sub judged {
	my ($u, %opts) = @_;

	$u->reset();
	$u->answer($opts{answer}) if defined $opts{answer};

	my $r = request(%opts);
	my $verdict = $r->header('X-Verdict');
	my $secret = $r->header('X-Secret');
	my $last = $u->last();

	return join ' ', $r->{status}, defined $verdict ? $verdict : '',
		$u->count(), $last && defined $secret ? $secret : (),
		$last && $last->{body} ne $opts{body} ? 'other body' : ();
}

=item pattern(n)

n bytes, of which no part is like another.

=item flip(body, at)

The body with one bit changed, in the last byte unless said otherwise.

=cut

sub pattern {
	my ($n) = @_;
	return substr join('', map { "$_," } 1 .. $n / 2 + 1), 0, $n;
}

sub flip {
	my ($body, $at) = @_;

	$at = length($body) - 1 unless defined $at;
	substr($body, $at, 1) = chr(ord(substr($body, $at, 1)) ^ 1);

	return $body;
}

=item hmac(algorithm, key, text)

The raw digest; algorithm: sha1, sha256, sha384, sha512.

=item sign(scheme, secret, body, %opts)

The headers, as a list of pairs, that the provider would send; there is a
function of each scheme, sign_yoco(secret, body, %opts).  Secrets are as the
provider shows them.

	ts       unix seconds, the time of nginx's clock unless given
	ts_text  the timestamp as sent, exactly
	id       the event's id where a header has it; one of its own unless
	         given (none if undef)
	type     the event's type where a header has it

	bamotf              ts (sent in milliseconds)
	bitnob, nextpay
	bitnob-timestamped  ts, type
	yoco, standard-webhooks  ts, id
	stripe, slack       ts
	github, shopify     id, type

=item forgery(scheme, secret, body, %opts)

A body and a list of headers that are nearly right, for schemes whose digest is
in hex and ends a header.

=cut

our %SIGN = (
	'bamotf' => \&sign_bamotf,
	'bitnob' => \&sign_bitnob,
	'bitnob-timestamped' => \&sign_bitnob_timestamped,
	'yoco' => \&sign_standard_webhooks,
	'standard-webhooks' => \&sign_standard_webhooks,
	'nextpay' => \&sign_nextpay,
	'stripe' => \&sign_stripe,
	'github' => \&sign_github,
	'slack' => \&sign_slack,
	'shopify' => \&sign_shopify,
);

my $ids = 0;

sub sign {
	my ($scheme, @args) = @_;

	my $code = $SIGN{$scheme} or die "can't sign for $scheme\n";

	return $code->(@args);
}

sub forgery {
	my ($scheme, $secret, $body, %opts) = @_;

	my $kind = int(rand(5));

	$secret .= '-of-another' if $kind == 2;

	my @headers = sign($scheme, $secret, $body, %opts);

	if ($kind == 0) {
		$body .= ' ';

	} elsif ($kind == 1) {
		substr($headers[-1][1], -1 - int(rand(64)), 1)
			=~ tr/0-9a-f/1-9a-f0/;

	} elsif ($kind == 3) {
		substr($headers[-1][1], -2) = '';

	} elsif ($kind == 4) {
		pop @headers;
	}

	return ($body, @headers);
}

sub hmac {
	my ($algorithm, $key, $text) = @_;

	# Digest::SHA knows no other hash than its own

	if ($algorithm eq 'md5') {
		$key = Digest::MD5::md5($key) if length $key > 64;
		my ($inner, $outer) = map { ($key ^ "\0" x 64) ^ $_ x 64 }
			"\x36", "\x5c";

		return Digest::MD5::md5($outer
			. Digest::MD5::md5($inner . $text));
	}

	my $code = Digest::SHA->can("hmac_$algorithm")
		or die "unknown algorithm $algorithm\n";

	return $code->($text, $key);
}

sub _ts {
	my ($opts, $factor) = @_;

	return $opts->{ts_text} if defined $opts->{ts_text};

	return (defined $opts->{ts} ? $opts->{ts} : Test::Nginx::now())
		* ($factor || 1);
}

sub _id {
	my ($opts, $prefix) = @_;

	return exists $opts->{id} ? $opts->{id} : sprintf('%s%d_%d', $prefix, $$,
		++$ids);
}

sub _optional {
	return map { defined $_->[1] ? $_ : () } @_;
}

sub sign_bamotf {
	my ($secret, $body, %opts) = @_;

	my $ts = _ts(\%opts, 1000);
	my $hex = unpack('H*', hmac('sha256', $secret, $body . $ts));

	return [ 'x-webhook-signature', "v=$ts,d=$hex" ];
}

sub sign_bitnob {
	my ($secret, $body) = @_;

	return [ 'x-bitnob-signature',
		unpack('H*', hmac('sha512', $secret, $body)) ];
}

sub sign_bitnob_timestamped {
	my ($secret, $body, %opts) = @_;

	my $ts = _ts(\%opts);

	return (
		[ 'x-bitnob-timestamp', $ts ],
		_optional([ 'x-bitnob-event', $opts{type} ]),
		[ 'x-bitnob-signature',
			unpack('H*', hmac('sha256', $secret, "$ts.$body")) ]
	);
}

sub sign_standard_webhooks {
	my ($secret, $body, %opts) = @_;

	my $ts = _ts(\%opts);
	my $id = _id(\%opts, 'msg_');

	(my $key = $secret) =~ s/^whsec_//;

	my $text = (defined $id ? $id : '') . ".$ts.$body";
	my $digest = encode_base64(hmac('sha256', decode_base64($key), $text), '');

	return (
		_optional([ 'webhook-id', $id ]),
		[ 'webhook-timestamp', $ts ],
		[ 'webhook-signature', "v1,$digest" ]
	);
}

sub sign_yoco {
	return sign_standard_webhooks(@_);
}

sub sign_nextpay {
	my ($secret, $body) = @_;

	return [ 'x-nextpay-signature',
		unpack('H*', hmac('sha256', $secret, $body)) ];
}

sub sign_stripe {
	my ($secret, $body, %opts) = @_;

	my $ts = _ts(\%opts);
	my $hex = unpack('H*', hmac('sha256', $secret, "$ts.$body"));

	return [ 'stripe-signature', "t=$ts,v1=$hex" ];
}

sub sign_github {
	my ($secret, $body, %opts) = @_;

	return (
		_optional([ 'x-github-delivery', _id(\%opts, 'delivery-') ],
			[ 'x-github-event', $opts{type} ]),
		[ 'x-hub-signature-256', 'sha256='
			. unpack('H*', hmac('sha256', $secret, $body)) ]
	);
}

sub sign_slack {
	my ($secret, $body, %opts) = @_;

	my $ts = _ts(\%opts);

	return (
		[ 'x-slack-request-timestamp', $ts ],
		[ 'x-slack-signature', 'v0='
			. unpack('H*', hmac('sha256', $secret, "v0:$ts:$body")) ]
	);
}

sub sign_shopify {
	my ($secret, $body, %opts) = @_;

	return (
		_optional([ 'x-shopify-topic', $opts{type} ],
			[ 'x-shopify-webhook-id', _id(\%opts, 'webhook-') ]),
		[ 'x-shopify-hmac-sha256',
			encode_base64(hmac('sha256', $secret, $body), '') ]
	);
}

=item load_vectors(name)

The vectors of t/vectors/name.json, a list of hashes with the fields that
t/vectors/README.md describes; C<body> is always there and holds the bytes,
C<headers> is a list of pairs, one for each line.

=back

=cut

sub load_vectors {
	my ($name) = @_;

	my $file = "$Test::Nginx::ROOT/t/vectors/$name.json";

	open my $fh, '<:raw', $file or die "Can't open $file: $!\n";
	my $text = do { local $/; <$fh> };
	close $fh;

	my $vectors = JSON::PP->new()->utf8()->decode($text);

	foreach my $v (@$vectors) {
		if (defined $v->{body_base64}) {
			$v->{body} = decode_base64($v->{body_base64});

		} elsif (my $f = $v->{body_formula}) {
			$v->{body} = $f->{repeat} x $f->{count};

			die "$v->{name}: body does not match its formula\n"
				unless length $v->{body} == $f->{length}
				and Digest::SHA::sha256_hex($v->{body})
					eq $f->{sha256};

		} else {
			utf8::encode($v->{body});
		}

		my @lines;

		foreach my $header (sort keys %{$v->{headers}}) {
			my $value = $v->{headers}{$header};

			foreach my $line (ref $value ? @$value : $value) {
				utf8::encode($line);
				push @lines, [ $header, $line ];
			}
		}

		$v->{headers} = \@lines;
		$v->{valid} = $v->{valid} ? 1 : 0;
	}

	return @$vectors;
}

###############################################################################

1;

###############################################################################
