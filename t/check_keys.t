#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook-check: requests that are signed with keys of files, forms, and
# bodies that are bound by a hash are judged, and why they are not right is found.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Check;
use Test::Nginx::Webhook;
use Test::Nginx::Providers;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http/);

my @names = qw/ sendgrid wise utila wechat-pay twilio twilio-json mandrill nmi /;

my $locations = '';

foreach my $name (@names) {
	$t->write_file("$name.secret", join '', map { "$_\n" }
		secrets($name, $name eq 'wise' ? ('old', 'new') : 'new'));
	chmod 0600, $t->testdir() . "/$name.secret";

	$locations .= "location = /hooks/$name { webhook_verify $name;"
		. ' webhook_secret ' . source($name) . "$name.secret; }\n";
}

# another place has another key

$t->write_file('other.pem', (secrets('wise', 'other'))[0] . "\n");

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com www.example.com;

$locations
        location = /other {
            webhook_verify  wise;
            webhook_secret  pem:other.pem;
        }
    }
}

EOF_

my $i = 0;
my (@requests, %expected);

foreach my $name (@names) {
	my %e = event($name, uri => "/hooks/$name");

	add('', %e);
	add($name eq 'twilio-json' ? 'wrong_body_hash' : 'none', %e,
		body => $e{body} =~ s/(.)\z/chr(ord($1) ^ 1)/ser);
	add('none', event($name, uri => "/hooks/$name", key => 'wrong'))
		unless $name eq 'wechat-pay';
}

add('unknown_key', event('wechat-pay', uri => '/hooks/wechat-pay',
	key => 'wrong'));

# one cause

my %wise = event('wise', uri => '/hooks/wise');

add('body_newline_added', %wise, body => "$wise{body}\n");
add('secret_of:hooks.example.com/other', event('wise', uri => '/hooks/wise',
	key => 'other'));
add('url_host', event('mandrill', uri => '/hooks/mandrill',
	host => 'www.example.com'), host => 'hooks.example.com');

my %json = event('twilio-json', uri => '/hooks/twilio-json');

add('wrong_body_hash: body_newline_added', %json, body => "$json{body}\n");

# another scheme with the same key

add('missing_signature: other_scheme:freshchat', event('freshchat',
	uri => '/hooks/wise'));
add('missing_signature', event('freshchat', uri => '/hooks/sendgrid'));

$t->plan(@requests + 3)->run();

###############################################################################

$t->write_file('requests.json', '[' . join(',', @requests) . ']');

my %got = map { $_->{name} => $_ } webhook_check_json($t, 'verify',
	'requests.json');

foreach my $n (sort { $a <=> $b } keys %expected) {
	my $got = $got{$n};
	my ($first) = @{$got->{hints} || []};

	my $reason = $got->{reason};
	$reason = '' if !defined $reason || $reason eq 'signature_mismatch';

	my $hint = defined $first ? ref $first ? $first->{hint} : $first : '';

	is(join(': ', grep { length } $reason, $hint), $expected{$n}[0],
		$expected{$n}[1]);
}

my ($status, $out) = webhook_check($t);

like($out, qr/keys of pem:\S+wise\.secret/, 'list');

($status, $out) = webhook_check($t, 'sign', '--url',
	'https://hooks.example.com/hooks/wise');

like("$status $out", qr/^2 .*"rsa-sha256" signs with a key that is not here/s,
	'sign - no private key');

($status, $out) = webhook_check($t, 'sign', '--url',
	'https://hooks.example.com/hooks/twilio-json?a=b');

like("$status $out", qr/^0 POST \S+\?a=b&bodySHA256=[0-9a-f]{64} HTTP/s,
	'sign - hash in the address');

###############################################################################

sub add {
	my ($expected, %e) = @_;

	my $name = ++$i;

	push @requests, captured(url => "https://$e{host}$e{uri}",
		headers => $e{headers}, body => $e{body}, name => $name);
	$expected{$name} = [ $expected, "$e{uri} - " . ($expected || 'right') ];
}

###############################################################################
