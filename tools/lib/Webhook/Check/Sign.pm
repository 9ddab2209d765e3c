package Webhook::Check::Sign;

# (C) ngx_http_webhook_module contributors

# The commands "sign" and "send": a request is signed for the place that its
# address leads to, shown nginx, and printed or sent.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ sign raw_text signed_request send_signed /;

use Errno qw/ EINTR /;
use IO::Socket::UNIX;
use MIME::Base64 qw/ encode_base64 /;
use Socket qw/ SOCK_STREAM /;
use Time::HiRes qw/ time /;

use Webhook::Check::Capture qw/ cut_url /;
use Webhook::Check::Conf qw/ read_live /;
use Webhook::Check::Monitor qw/ check_monitor /;
use Webhook::Check::Nginx qw/ judge locate start /;
use Webhook::Check::Output qw/ ACCEPTED REFUSED USAGE CONFIGURATION NO_NGINX
	%opt complain fail show_json usage warned /;
use Webhook::Check::Place qw/ check_verifying find_places /;
use Webhook::Check::Replica qw/ warn_of_variables /;
use Webhook::Check::Scheme qw/ scheme /;
use Webhook::Check::Secret qw/ resolved_secrets /;
use Webhook::Check::Signature qw/ sign_request /;
use Webhook::Check::System qw/ slurp /;

###############################################################################

sub sign {
	my ($request) = make_signed();

	if ($opt{json}) {
		show_json({ method => $request->{method},
			url => $opt{url}, headers => $request->{headers},
			body_base64 => encode_base64($request->{body}, '') });

	} else {
		print raw_text($request);
	}

	complain("warning: $_") foreach warned();

	return ACCEPTED;
}

sub raw_text {
	my ($request) = @_;

	return "$request->{method} $request->{target} HTTP/1.1\r\n"
		. join('', map { "$_->[0]: $_->[1]\r\n" } @{$request->{headers}})
		. "\r\n$request->{body}";
}

sub make_signed {
	usage('--url is needed') unless defined $opt{url};

	my $live = read_live();
	find_places($live);
	check_verifying($live);
	check_monitor($live);

	return signed_request($live, start($live), $opt{url});
}

sub signed_request {
	my ($live, $private, $url) = @_;

	my ($host, $target) = cut_url($url);
	my $body = defined $opt{body} ? slurp($opt{body}) : undef;

	fail(USAGE, "$opt{body} cannot be read: $!")
		if defined $opt{body} && !defined $body;

	my %request = (method => 'POST', target => $target, host => $host,
		headers => defined $host ? [ [ 'Host', $host ] ] : [],
		body => '');

	my ($place, $n, $verdict);

	($place, $n, $verdict, $private) = locate($private, \%request);
	my $scheme = scheme($live, $place->{scheme});
	my ($secret) = resolved_secrets($live, $place, $verdict->{vars});

	warn_of_variables($live, $place);

	fail(CONFIGURATION, 'there is no secret for this request')
		unless defined $secret && length $secret;

	my $at = defined $opt{at} ? $opt{at} : int time();

	$request{headers} = [ map { [ @$_ ] } @{$request{headers}} ];
	sign_request($scheme, \%request, $secret, $at, $body, $verdict->{vars});

	my $got = judge($private, "$n." . (defined $opt{at} ? 'any' : 'own')
		. '.sock', \%request);

	fail(REFUSED, "nginx does not accept what was signed: "
		. ($got->{reason} || "status $got->{code}"))
		unless $got->{status} =~ /^(?:PASSED|IGNORED)/;

	push @{$request{headers}}, [ 'Content-Length', length $request{body} ];

	return \%request;
}

sub send_signed {
	my $request = make_signed();

	my $to = defined $opt{to} ? $opt{to} : $opt{url};
	my $s;

	if ($to =~ /^unix:(.+)/) {
		$s = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $1);

	} elsif ($to =~ m!^(https?)://(\[[^\]]+\]|[^/:?]+)(?::(\d+))?!) {
		my ($scheme, $host, $port) = ($1, $2, $3);

		my %peer = (PeerHost => $host =~ s/^\[|\]$//gr,
			PeerPort => $port || ($scheme eq 'https' ? 443 : 80),
			Timeout => 10);

		if ($scheme eq 'https') {
			eval { require IO::Socket::SSL; 1 }
				or fail(USAGE, 'https needs IO::Socket::SSL, or'
					. ' another address with --to');
			$s = IO::Socket::SSL->new(%peer,
				SSL_hostname => $request->{host} =~ s/:\d+$//r);

		} else {
			require IO::Socket::IP;
			$s = IO::Socket::IP->new(%peer);
		}

	} else {
		usage("\"$to\" is no address");
	}

	fail(NO_NGINX, "$to does not answer: " . ($! || '')) unless $s;

	push @{$request->{headers}}, [ 'Connection', 'close' ];

	print $s raw_text($request);
	$s->flush();

	my $answer = '';

	for ( ;; ) {
		my $n = sysread $s, $answer, 65536, length $answer;

		next if !defined $n && $! == EINTR;
		last unless $n;
	}

	print $answer, $answer =~ /\n\z/ ? '' : "\n";
	complain("warning: $_") foreach warned();

	return $answer =~ m!^HTTP/\S+ 2! ? ACCEPTED : REFUSED;
}

###############################################################################

1;
