package Test::Nginx::Providers;

# (C) ngx_http_webhook_module contributors

# What the providers of the built-in schemes send: a second implementation of
# them, made from their documentation and not from the texts in the module.

###############################################################################

=head1 SYNOPSIS

	use Test::Nginx::Webhook;
	use Test::Nginx::Providers;

	foreach my $name (providers()) {
		my %event = event($name, n => 1);
		my $r = request(%event);
		...
	}

=head1 EVENTS

Each provider has a thing to which events happen: event 1, event 2 and so on
are distinct, and of the one thing.  Where a provider sends several events at
once, the first of them is the same in all.

=cut

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT = qw/ providers provider secrets source event signature vectors /;

###############################################################################

use Digest::SHA qw//;
use File::Temp qw//;
use MIME::Base64 qw/ encode_base64 /;
use POSIX qw/ strftime /;
use Test::Nginx qw//;
use Test::Nginx::Webhook qw/ hmac /;

###############################################################################

=head1 THE TABLE

t/providers.txt has a line for each provider:

	name | digest | header: value | text | word ...
	name | other | word ...

The digest is an algorithm (sha256, sha1, sha512, md5, ed25519, rsa-sha256,
rsa-sha1, rsa-pss-sha512, ecdsa-sha256) and an encoding (hex, HEX for capital
letters, base64, base64url, base64-hex), or "token" where the secret itself is
sent, perhaps with an encoding.  The header is that of the signature, with the
value that it has; a name that begins with ? is that of an argument in the
address.  The text is what is signed.  In the second form the provider does as
the other one, but for the words.  Words are

	unit=      of the timestamp: s, ms, rfc3339, iso8601 (which is sent without
	           an offset), http; none if there is no timestamp
	fraction=  of a second, as it is sent
	either=    1: milliseconds are as good as seconds
	past=      the window in seconds, 300 unless given
	future=    the same unless given
	key=       how the secret is shown: raw unless given (the bytes of the
	           text are the key); sha256, so, but their hash is the key;
	           hex, base64, or the prefix of base64; spki, base64 of a
	           public key; pem, a file of those
	list=      what stands between two digests in the header
	empty=     0: an empty body is no event, or cannot be signed by openssl
	bare=      1: what stands before a digest is not looked at
	more=      further names that such a header can have, with commas
	Name:      a header that is sent, with its value
	id= type=  what the event is called
	dedup=     0: nothing tells events apart
	form=      1: the body is a form
	arg=       what is added to the query of the address
	retries=   seconds for which it goes on sending an event: a day unless
	           given, the window if there is a timestamp
	body=      the rest of the line: the body of event {n}; {attempt} differs
	           in a retry

and any other word is a field of that name in what is sent.  There {ts} is the
timestamp, {n} the number of the event, {id} and {type} what they say, {digest}
the digest, {hash} the SHA-256 of the body in hex, {form} its
sorted parameters, {key} the name of the key in
a file, {method} and {url} those of the request; \s is a blank, and \n in a text
or a body the end of a line.

=cut

my (@names, %lines, %providers);

my %default = (
	alg => 'sha256',
	enc => 'hex',
	key => 'raw',
	past => 300,
	more => [],
	headers => [],
	fields => {},
	dedup => 1,
	body => '{"id":"evt_{n}","type":"thing.changed",'
		. '"data":{"id":"thing_1"}}',
);

my $known = join '|', qw/ unit fraction either bare empty past future key list id type
	dedup retries form arg /;

foreach (split /\n/, Test::Nginx::project_text('t/providers.txt')) {
	next if /^#/ or !length;

	my ($name, $how, @cells) = split / \| /;
	my $p;

	if ($lines{$how}) {
		$p = { %{$lines{$how}} };

	} else {
		my ($sig, $text) = splice @cells, 0, 2;

		$p = { sig => [ split /: /, $sig, 2 ], text => '{body}' };
		@$p{qw/ alg enc /} = split ' ', $how;

		$p->{enc} = $p->{alg} eq 'token' ? 'raw' : 'hex'
			unless defined $p->{enc};
		$p->{text} = $text =~ s/\\n/\n/gr unless $p->{alg} eq 'token';
	}

	my $words = @cells ? $cells[0] : '';
	$p->{body} = $1 =~ s/\\n/\n/gr if $words =~ s/(?:^| )body=(.*)//;

	my (@headers, %fields);

	foreach (split ' ', $words) {
		my $word = s/\\s/ /gr;

		if ($word =~ /^($known)=(.*)/) {
			$p->{$1} = $2;

		} elsif ($word =~ /^more=(.*)/) {
			$p->{more} = [ split /,/, $1 ];

		} elsif ($word =~ /^([\w-]+):(.*)/) {
			push @headers, [ $1, $2 ];

		} elsif ($word =~ /^(\w+)=(.*)/) {
			$fields{$1} = $2;

		} else {
			die "t/providers.txt: what is \"$word\" of $name?\n";
		}
	}

	$p->{headers} = \@headers if @headers;
	$p->{fields} = \%fields if %fields;

	push @names, $name;
	$lines{$name} = $p;

	$p = $providers{$name} = { %default, %$p };

	# a word that is misspelled would be a field that nobody looks at

	my $uses = join ' ', @{$p->{sig}}, $p->{text}, $p->{body},
		map({ @$_ } @headers), values %fields,
		grep { defined } @$p{qw/ id type arg /};

	foreach (sort keys %fields) {
		die "t/providers.txt: $name has \"$_=\", and no {$_}\n"
			unless index($uses, "{$_}") >= 0;
	}

	$p->{future} = $p->{past} unless defined $p->{future};
	$p->{retries} = defined $p->{unit} ? $p->{past} : 86400
		unless defined $p->{retries};
	$p->{signs} = { map { $_ => 1 } $p->{text} =~ /\{(\w+)\}/g };
}

###############################################################################

=head1 FUNCTIONS

=over

=item providers()

The names of the built-in schemes, in order.

=item provider(name)

The line of the table.

=item secrets(name, which, ...)

Secrets as the provider shows them; C<which> is any word that tells one from
the other.

=cut

sub providers {
	return @names;
}

sub provider {
	my ($name) = @_;

	return $providers{$name} || die "unknown provider $name\n";
}

sub secrets {
	my ($name, @which) = @_;

	return map { _shown($name, $_) } @which;
}

sub source {
	my ($name) = @_;

	return provider($name)->{key} eq 'pem' ? 'pem:' : 'file:';
}

=item source(name)

What stands in webhook_secret before the path of a file of such secrets.

=item event(name, %opts)

An event as options of request(): headers, body, method, uri, host; its id
and type as they are to be shown; its digest, and the fields of the provider.

	n        number of the event, 1 unless given
	attempt  1 unless given
	key      the secret's word, 'new' unless given; or several: the signature
	         then stands there several times, as the provider lists them
	ts       unix seconds, the time of nginx's clock unless given
	ts_text  the timestamp as sent, exactly
	id, type, method, uri, host, body, fields  others than the provider's
	sig      header of the signature, if another one

=item signature(name, key, text)

The digest of a text as it is written in the header, without what stands
around it.

=item vectors(name, now)

Genuine and forged requests at that time, with the fields that vectors in
t/vectors/ have, and the cases that all of those have.

=back

=cut

sub event {
	my ($name, %opts) = @_;

	my $p = provider($name);

	my %v = (n => 1, attempt => 1, method => 'POST',
		uri => "/hooks/$name?from=provider", host => 'hooks.example.com',
		%{$p->{fields}}, %opts);

	$v{ts} = defined $opts{ts_text} ? $opts{ts_text} : _time($p, $opts{ts})
		if defined $p->{unit};

	foreach my $field (qw/ type id body /) {
		$v{$field} = _fill($p->{$field}, \%v) unless exists $opts{$field};
	}

	$v{hash} = Digest::SHA::sha256_hex($v{body});
	$v{form} = _sorted($v{body}) if $p->{form};

	$v{uri} .= ($v{uri} =~ /\?/ ? '&' : '?') . _fill($p->{arg}, \%v)
		if defined $p->{arg}
		&& index($v{uri}, $p->{arg} =~ s/=.*//r . '=') < 0;

	$v{url} = "https://$v{host}$v{uri}";
	$v{key} = _key_id($name, $opts{key} || 'new') if $p->{key} eq 'pem';

	my $text = _fill($p->{text}, \%v);

	my @digests = map { signature($name, $_, $text) }
		ref $opts{key} ? @{$opts{key}} : $opts{key} || 'new';

	die "no list of signatures for $name\n"
		if @digests > 1 and !defined $p->{list};

	$v{digest} = join _fill(defined $p->{list} ? $p->{list}
		. (_repeats($p) || '') : '', \%v), @digests;

	my ($header, $value) = @{$p->{sig}};

	$header = $opts{sig} if defined $opts{sig};
	$value = _fill($value, \%v);

	my @signature = [ $header, $value ];

	if ($header =~ s/^\?//) {
		$v{uri} .= ($v{uri} =~ /\?/ ? '&' : '?') . "$header=$value";
		@signature = ();
	}

	return (
		headers => [
			[ 'Content-Type', $p->{form}
				? 'application/x-www-form-urlencoded'
				: 'application/json' ],
			(map { [ $_->[0], _fill($_->[1], \%v) ] }
				@{$p->{headers}}),
			@signature
		],
		map { $_ => $v{$_} } qw/ method uri host body id type ts
			digest /, keys %{$p->{fields}}
	);
}

sub vectors {
	my ($name, $now) = @_;

	my $p = provider($name);
	my $value = $p->{sig}[1];
	my %same = (uri => "/vectors/$name");
	my @vectors;

	my $add = sub {
		my ($case, $valid, $e) = @_;

		push @vectors, {
			name => "$name/$case", provider => $name,
			secret => (secrets($name, 'new'))[0],
			now => $now, valid => $valid,
			event_id => $e->{id}, event_type => $e->{type},
			map { $_ => $e->{$_} } qw/ method uri host headers body /
		};
	};

	my $event = sub { return { event($name, ts => $now, %same, @_) } };

	# what the signature's header is instead

	my $sent = sub {
		my ($e, $text) = @_;

		my $old = _fill($value, { %$e });

		return { %$e, uri => $e->{uri} =~ s/=\Q$old\E$/=$text/r }
			if $p->{sig}[0] =~ /^\?/;

		return { %$e, headers => [ map { $_->[0] ne $p->{sig}[0] ? $_
			: defined $text ? [ $_->[0], $text ] : () }
			@{$e->{headers}} ] };
	};

	my $e = $event->();
	$add->('valid-json', 1, $e);

	# id and type are in the body, or they are not; an id can be made of
	# several headers

	my $headers = join ' ', map { $_->[1] =~ s/\{n\}/{id}/r }
		@{$p->{headers}};

	my %bodies = (
		'utf8' => "{\"note\":\"Zo\xc3\xab \xe2\x98\x83 \xf0\x9d\x84\x9e\"}",
		'crlf' => "{\r\n  \"note\": 1\r\n}\r\n",
		'binary-body' => join('', map { chr } 0 .. 255),
		'empty-body' => '',
	);

	$_ = 'a=' . s/(.)/sprintf '%%%02x', ord $1/gesr foreach $p->{form}
		? values %bodies : ();

	# one that is timed by its body has to say the time

	%bodies = () if $p->{body} =~ /\{ts\}/;

	delete $bodies{'empty-body'} if defined $p->{empty};

	foreach my $case (sort keys %bodies) {
		$add->("valid-$case", 1, { %{$event->(body => $bodies{$case})},
			map { $headers =~ /\{$_\}/ ? () : ($_ => undef) }
			qw/ id type / });
	}

	$add->('header-name-case', 1, { %$e,
		headers => [ map { [ uc $_->[0], $_->[1] ] } @{$e->{headers}} ] });

	$add->('bad-wrong-secret', 0, $event->(key => 'wrong'));
	$add->('bad-missing-signature-header', 0, $sent->($e))
		unless $p->{sig}[0] =~ /^\?/;
	$add->('bad-empty-signature-header', 0, $sent->($e, ''));

	my $digest = $e->{digest};
	my $half = int(length($digest) / 2);

	# the last character but for padding can have bits that do not count

	my %digests = (
		'first-char' => _other($digest, 0),
		'middle-char' => _other($digest, $half),
		'truncated' => substr($digest, 0, $half),
		'one-short' => substr($digest, 0, -1),
		'extra' => $digest . 'AAAA',
		'empty' => '',
	);

	foreach my $case (sort keys %digests) {
		$add->("bad-digest-$case", 0, $sent->($e, _fill($value,
			{ %$e, digest => $digests{$case} })));
	}

	if ($value ne '{digest}' and !$p->{bare}) {
		$add->('bad-prefix-missing', 0, $sent->($e, _fill($value
			=~ s/(?:v1a?,|[^,;]*)\{digest\}/{digest}/r, $e)));
		$add->('bad-prefix-other', 0, $sent->($e, _fill($value
			=~ s/(\W)\{digest\}/x$1\{digest}/r, $e)));
	}

	if ($p->{alg} ne 'token') {
		my $body = $e->{body};

		$add->('bad-body-flipped-byte', 0, { %$e,
			body => _other($body, length($body) / 2) });
		$add->('bad-body-truncated', 0, { %$e,
			body => substr($body, 0, -1) });
		$add->('bad-body-appended', 0, { %$e, body => "$body " });
	}

	if (defined $p->{unit}) {
		$add->('valid-timestamp-at-limit', 1,
			$event->(ts => $now - $p->{past}));
		$add->('bad-timestamp-stale', 0,
			$event->(ts => $now - $p->{past} - 1));
		$add->('bad-timestamp-future', 0,
			$event->(ts => $now + $p->{future} + 1));
	}

	return @vectors;
}

# a text with one character changed

sub _other {
	my ($text, $at) = @_;

	substr($text, $at, 1) = substr($text, $at, 1) eq '1' ? '2' : '1';

	return $text;
}

# the label of a digest that is a list's item of its own

sub _repeats {
	my ($p) = @_;

	return $p->{list} eq ' ' && $p->{sig}[1] =~ /^(v1a?,)/ ? $1 : '';
}

sub _fill {
	my ($text, $v) = @_;

	return unless defined $text;

	# an id is made of a number: its own text is filled first

	$text =~ s/\{(\w+)\}/exists $v->{$1}
		? defined $v->{$1} ? $v->{$1} : '' : "{$1}"/ge;

	return $text;
}

# names and values of a form, in the order of Twilio's libraries

sub _sorted {
	my ($body) = @_;

	my %values;

	foreach (split /&/, $body) {
		my ($name, $value) = map { tr/+/ /r =~ s/%(..)/chr hex $1/ger }
			split /=/, $_, 2;

		$values{$name}{defined $value ? $value : ''} = 1;
	}

	return join '', map { my $name = $_;
		map { $name . $_ } sort keys %{$values{$name}} }
		sort keys %values;
}

sub _time {
	my ($p, $ts) = @_;

	$ts = Test::Nginx::now() unless defined $ts;

	return $ts . '000' if $p->{unit} eq 'ms';
	return $ts if $p->{unit} eq 's';

	return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime($ts))
		if $p->{unit} eq 'http';

	return strftime('%Y-%m-%dT%H:%M:%S', gmtime($ts))
		. ($p->{fraction} || '') . ($p->{unit} eq 'rfc3339' ? 'Z' : '');
}

# 32 bytes for each name and word

sub _seed {
	my ($name, $which) = @_;

	return substr("$which/$name/" . 'secret-of-the-tests-' x 2, 0, 32);
}

sub _shown {
	my ($name, $which) = @_;

	my $p = provider($name);
	my $seed = _seed($name, $which);

	# raw secrets hold what would be cut off if they were decoded

	return 'whsec_' . _raw($seed) if $p->{key} =~ /^(?:raw|sha256)$/;

	return _spki($p, $which) if $p->{key} eq 'spki';

	return '# id: ' . _key_id($name, $which)
		. "\n-----BEGIN PUBLIC KEY-----\n"
		. (_spki($p, $which) =~ s/(.{1,64})/$1\n/gr)
		. '-----END PUBLIC KEY-----' if $p->{key} eq 'pem';

	my $key = $p->{alg} eq 'ed25519' ? _public($seed) : $seed;

	return _encoded($p->{key}, $key) if $p->{key} =~ /^(?:hex|base64)/;
	return "$p->{key}_" . encode_base64($key, '');
}

sub _raw {
	my ($seed) = @_;

	$seed =~ s!/!-!g;
	return $seed;
}

sub signature {
	my ($name, $which, $text) = @_;

	my $p = provider($name);
	my $seed = _seed($name, $which);

	my $key = $p->{key} =~ /^(?:raw|sha256)$/ ? _shown($name, $which) : $seed;

	$key = Digest::SHA::sha256($key) if $p->{key} eq 'sha256';

	return _encoded($p->{enc}, $key) if $p->{alg} eq 'token';

	my $digest = $p->{key} eq 'spki' || $p->{key} eq 'pem'
			? _signed($p, $which, $text)
		: $p->{alg} eq 'ed25519' ? _ed25519($seed, $text)
		: hmac($p->{alg}, $key, $text);

	return _encoded($p->{enc}, $digest);
}

sub _encoded {
	my ($how, $bytes) = @_;

	return $bytes if $how eq 'raw';
	return unpack('H*', $bytes) if $how eq 'hex';
	return uc unpack('H*', $bytes) if $how eq 'HEX';

	$bytes = unpack('H*', $bytes) if $how eq 'base64-hex';

	my $text = encode_base64($bytes, '');
	$text =~ tr!+/=!-_!d if $how eq 'base64url';

	return $text;
}

# Ed25519 by way of openssl; the private key is the seed itself

my (%public, %signed, %made, $dir);

sub _private {
	my ($seed) = @_;

	return _write('key', pack('H*', '302e020100300506032b657004220420')
		. $seed);
}

sub _public {
	my ($seed) = @_;

	return $public{$seed} if defined $public{$seed};

	my $key = _private($seed);

	return $public{$seed} = substr(_openssl('pkey', '-inform', 'DER', '-in',
		$key, '-pubout', '-outform', 'DER'), -32);
}

sub _ed25519 {
	my ($seed, $text) = @_;

	return $signed{"$seed$text"} if defined $signed{"$seed$text"};

	my $key = _private($seed);

	return $signed{"$seed$text"} = _openssl('pkeyutl', '-sign', '-rawin',
		'-keyform', 'DER', '-inkey', $key, '-in', _write('text', $text));
}

# other public keys, likewise: those of one word are the same for all providers

sub _pair {
	my ($p, $which) = @_;

	my ($type) = $p->{alg} =~ /^(rsa|ecdsa|ed25519)/;
	my %opts = (rsa => 'rsa_keygen_bits:2048',
		ecdsa => 'ec_paramgen_curve:P-256');

	return $made{"$type $which"} ||= _write("$type-$which",
		_openssl('genpkey', '-quiet', '-algorithm',
		$type eq 'ecdsa' ? 'EC' : uc $type,
		$opts{$type} ? ('-pkeyopt', $opts{$type}) : ()));
}

sub _spki {
	my ($p, $which) = @_;

	my $key = _pair($p, $which);

	return $public{$key} ||= encode_base64(_openssl('pkey', '-in', $key,
		'-pubout', '-outform', 'DER'), '');
}

sub _key_id {
	my ($name, $which) = @_;

	return uc substr Digest::SHA::sha1_hex("$which/$name"), 0, 39;
}

sub _signed {
	my ($p, $which, $text) = @_;

	my $key = _pair($p, $which);
	my ($hash) = $p->{alg} =~ /(sha\d+)$/;

	my @args = !defined $hash ? ('pkeyutl', '-sign', '-rawin', '-inkey',
			$key, '-in', _write('text', $text))
		: ('dgst', "-$hash", '-sign', $key, $p->{alg} =~ /pss/
			? ('-sigopt', 'rsa_padding_mode:pss', '-sigopt',
				'rsa_pss_saltlen:digest') : (),
			_write('text', $text));

	# one of ECDSA can have a length that base64 does not pad

	until (length(my $signed = $signed{"$key $p->{alg} $text"} || '') % 3) {
		$signed{"$key $p->{alg} $text"} = _openssl(@args);
	}

	return $signed{"$key $p->{alg} $text"};
}

sub _openssl {
	my (@args) = @_;

	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	binmode $fh;
	my $out = do { local $/; <$fh> };

	close $fh or die "openssl @args failed\n";

	return $out;
}

sub _write {
	my ($name, $content) = @_;

	$dir ||= File::Temp->newdir('webhook-keys-XXXXXXXXXX', TMPDIR => 1);

	my $file = "$dir/$name";

	open my $fh, '>', $file or die "Can't create $file: $!\n";
	binmode $fh;
	print $fh $content;
	close $fh or die "Can't write $file: $!\n";

	return $file;
}

###############################################################################

1;

###############################################################################
