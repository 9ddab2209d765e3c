#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests with signatures that providers have published, in their documentation
# or with their libraries: secret, bytes and digest were not made by us.  (Those
# of the first providers are among t/vectors.)

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $box = '{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":'
	. '"FILE.UPLOADED","source":{"id":"1234567890","type":"file",'
	. '"name":"Test.txt"}}';

# where the URL is signed, it is https://, host (example.com) and uri

my @examples = (

{
	name => 'Svix documentation, verifying manually',
	scheme => 'svix',
	secret => 'whsec_plJ3nmyCDGBKInavdOK15jsl',
	now => 1731705121,
	headers => [
		[ 'svix-id', 'msg_loFOjxBNrRLzqYUf' ],
		[ 'svix-timestamp', '1731705121' ],
		[ 'svix-signature',
			'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=' ],
	],
	body => '{"event_type":"ping","data":{"success":true}}',
},
{
	name => 'OpenAI library, tests',
	scheme => 'openai',
	secret => 'whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=',
	now => 1750861210,
	headers => [
		[ 'webhook-id', 'wh_685c059ae39c8190af8c71ed1022a24d' ],
		[ 'webhook-timestamp', '1750861210' ],
		[ 'webhook-signature',
			'v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=' ],
	],
	body => '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": '
		. '"event", "created_at": 1750861210, "type": '
		. '"response.completed", "data": {"id": "resp_123"}}',
},
{
	name => 'Mux library, tests',
	scheme => 'mux',
	secret => 'SuperSecret123',
	now => 1565125718,
	headers => [
		[ 'mux-signature', 't=1565125718,v1=854ece4c22acef7c66b57d4e50'
			. '4153bc512595e8e9c772ece2a68150548c19a7' ],
	],
	body => '{"test":"body"}',
},
{
	name => 'Box library, tests, first key',
	scheme => 'box',
	secret => 'SamplePrimaryKey',
	now => 1577862000,
	headers => [
		[ 'box-delivery-timestamp', '2020-01-01T00:00:00-07:00' ],
		[ 'box-signature-primary',
			'6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI=' ],
		[ 'box-signature-secondary',
			'v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo=' ],
	],
	body => $box,
},
{
	name => 'Box library, tests, second key',
	scheme => 'box',
	secret => 'SampleSecondaryKey',
	now => 1577862000,
	headers => [
		[ 'box-delivery-timestamp', '2020-01-01T00:00:00-07:00' ],
		[ 'box-signature-primary',
			'6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI=' ],
		[ 'box-signature-secondary',
			'v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo=' ],
	],
	body => $box,
},
{
	name => 'Bitbucket documentation, testing the webhook payload',
	scheme => 'bitbucket',
	secret => "It's a Secret to Everybody",
	headers => [
		[ 'x-hub-signature', 'sha256=a4771c39fbe90f317c7824e83ddef3caae'
			. '9cb3d976c214ace1f2937e133263c9' ],
	],
	body => 'Hello World!',
},
{
	name => 'Square library, tests',
	scheme => 'square',
	secret => 'asdf1234',
	uri => '/webhook',
	headers => [
		[ 'x-square-hmacsha256-signature',
			'2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og=' ],
	],
	body => '{"hello":"world"}',
},
{
	name => 'LINE library, tests',
	scheme => 'line',
	secret => 'test_secret',
	headers => [
		[ 'x-line-signature',
			't7Hn4ZDHqs6e+wdvI5TyQIvzie0DmMUmuXEBqyyE/tM=' ],
	],
	body => '{"hello":"world"}',
},
{
	name => 'GoCardless libraries, tests',
	scheme => 'gocardless',
	secret => 'ED7D658C-D8EB-4941-948B-3973214F2D49',
	headers => [
		[ 'webhook-signature', '2693754819d3e32d7e8fcb13c729631f316c6d'
			. 'e8dc1cf634d6527f1c07276e7e' ],
	],
	body => '{"events":[{"id":"EV00BD05S5VM2T","created_at":'
		. '"2018-07-05T09:13:51.404Z","resource_type":"subscriptions",'
		. '"action":"created","links":{"subscription":'
		. '"SB0003JJQ2MR06"},"details":{"origin":"api","cause":'
		. '"subscription_created","description":"Subscription created '
		. 'via the API."},"metadata":{}},{"id":"EV00BD05TB8K63",'
		. '"created_at":"2018-07-05T09:13:56.893Z","resource_type":'
		. '"mandates","action":"created","links":{"mandate":'
		. '"MD000AMA19XGEC"},"details":{"origin":"api","cause":'
		. '"mandate_created","description":"Mandate created via the '
		. 'API."},"metadata":{}}]}',
},
{
	name => 'Adyen libraries, tests',
	scheme => 'adyen-platform',
	secret => 'D7DD5BA6146493707BF0BE7496F6404EC7A63616B7158EC927B9F54BB4'
		. '36765F',
	headers => [
		[ 'hmacsignature',
			'9Qz9S/0xpar1klkniKdshxpAhRKbiSAewPpWoxKefQA=' ],
	],
	body => '{"data":{"balancePlatform":"Integration_tools_test",'
		. '"accountId":"BA32272223222H5HVKTBK4MLB","sweep":{"id":'
		. '"SWPC42272223222H5HVKV6H8C64DP5","schedule":{"type":'
		. '"balance"},"status":"active","targetAmount":{"currency":'
		. '"EUR","value":0},"triggerAmount":{"currency":"EUR",'
		. '"value":0},"type":"pull","counterparty":{'
		. '"balanceAccountId":"BA3227C223222H5HVKT3H9WLC"},"currency":'
		. '"EUR"}},"environment":"test","type":'
		. '"balancePlatform.balanceAccountSweep.updated"}',
},
{
	name => 'Coinbase Commerce libraries, tests',
	scheme => 'coinbase-commerce',
	secret => '30291a20-0bd1-4267-9b0f-e6e7b123c0bf',
	headers => [
		[ 'x-cc-webhook-signature', '8be7742c7d372f08a6a3224edadf18a22'
			. 'b65fa9e28f3f2de97376cdaa092590d' ],
	],
	body => '{"id":1,"scheduled_for":"2017-01-31T20:50:02Z",'
		. '"attempt_number":1,"event":{"id":'
		. '"24934862-d980-46cb-9402-43c81b0cdba6","type":'
		. '"charge:created","api_version":"2018-03-22","created_at":'
		. '"2017-01-31T20:49:02Z","data":{"code":"66BEOV2A","name":'
		. '"The Sovereign Individual","description":"Mastering the '
		. 'Transition to the Information Age","hosted_url":'
		. '"https://commerce.coinbase.com/charges/66BEOV2A",'
		. '"created_at":"2017-01-31T20:49:02Z","expires_at":'
		. '"2017-01-31T21:04:02Z","timeline":[{"time":'
		. '"2017-01-31T20:49:02Z","status":"NEW"}],"metadata":{},'
		. '"pricing_type":"no_price","payments":[],"addresses":{'
		. '"bitcoin":"0000000000000000000000000000000000","ethereum":'
		. '"0x0000000000000000000000000000000000000000","litecoin":'
		. '"3000000000000000000000000000000000","bitcoincash":'
		. '"bitcoincash:000000000000000000000000000000000000000000"}'
		. '}}}',
},

{
	name => 'SendGrid libraries, tests',
	scheme => 'sendgrid',
	secret => 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7'
		. 'dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F'
		. '+g==',
	now => 1600112502,
	headers => [
		[ 'x-twilio-email-event-webhook-timestamp', '1600112502' ],
		[ 'x-twilio-email-event-webhook-signature',
			'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyB'
			. 'iXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=' ],
	],
	body => '[{"email":"hello@world.com","event":"dropped","reason":'
		. '"Bounced Address","sg_event_id":'
		. '"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
		. '"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.'
		. 'filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
		. '"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A'
		. '@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]'
		. "\r\n",
},
{
	name => 'Wise examples, verifying the signature of a webhook',
	scheme => 'wise',
	secret => 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwpb91cEYuyJNQepZ'
		. 'AVfPZIlPZfNUefH+n6w9SW3fykqKu938cR7WadQv87oF2VuT+fDt7kqeRziT'
		. 'mPSUhqPUys/V2Q1rlfJuXbE+Gga37t7zwd0egQ+KyOEHQOpcTwKmtZ81ieGH'
		. 'ynAQzsn1We3jwt760MsCPJ7GMT141ByQM+yW1Bx+4SG3IGjXWyqOWrcXsxAv'
		. 'IXkpUD/jK/L958CgnZEgz0BSEh0QxYLITnW1lLokSx/dTianWPFEhMC9Bgij'
		. 'empgNXHNfcVirg1lPSygz7KqoKUN0oHqWLr2U1A+7kqrl6O2nx3CKs1bj1hT'
		. 'oT1+p4kcMoHXA7kA+VBLUpEsVwIDAQAB',
	headers => [
		[ 'x-signature-sha256', 'wKcKCYXAzxNgiu7xmoDm943NUni7Rz33QN8JkEA9dWSGebgn'
		. 'donabgSj18Y4C08OrwVmueGsED2s00M7DtJVcYKOS1i3G4TM'
		. 'Vx+mgM3aL9djMBkQtiYNBFUd6wrPI7ZUNHv/TrlKSjTMc+6J'
		. 'FvUvJ7owY3z85e3I4jLRLJowMFvO8kvCJ60+1pY9wDwZvtZ/'
		. '/WS93LrwGjk9Dvwzpmu0w+P4J75tETT5qC3Uv0y5G2yO8SEo'
		. 'O3yNP/tg/BOli02niHb53vEOUWUb9bly6thnfMoXoiV/osoG'
		. 'xgF20R58RlvkAmezyyl1Sv542TfS2DpiwVnmjjjkCyXeSUcK'
		. 'ookYLQ==' ],
	],
	body => '{"data":{"resource":{"id":49983981,"profile_id":16055450,"ac'
		. 'count_id":14124090,"type":"transfer"},"current_state":"incom'
		. 'ing_payment_waiting","previous_state":null,"occurred_at":"20'
		. '21-08-23T10:12:50Z"},"subscription_id":"90aa8e14-4ef1-4a56-8'
		. '61c-f3c9cde097ea","event_type":"transfers#state-change","sch'
		. 'ema_version":"2.0.0","sent_at":"2021-08-23T10:12:50Z"}',
},
{
	name => 'Twilio documentation, validating signatures',
	scheme => 'twilio',
	secret => '12345',
	host => 'mycompany.com',
	uri => '/myapp.php?foo=1&bar=2',
	headers => [
		[ 'Content-Type', 'application/x-www-form-urlencoded' ],
		[ 'x-twilio-signature', 'GvWf1cFY/Q7PnoempGyD5oXAezc=' ],
	],
	body => 'Digits=1234&To=%2B18005551212&From=%2B14158675310'
		. '&Caller=%2B14158675310&CallSid=CA1234567890ABCDE',
},
{
	name => 'Twilio libraries, tests, a hash of the body',
	scheme => 'twilio-json',
	secret => '12345',
	host => 'mycompany.com',
	uri => '/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2df'
		. 'e9416e41502b283a80c7cf19632632f96e6620',
	headers => [
		[ 'x-twilio-signature', 'a9nBmqA0ju/hNViExpshrM61xv4=' ],
	],
	body => '{"property": "value", "boolean": true}',
},

);

# in the order of their times

@examples = sort { ($a->{now} || 0) <=> ($b->{now} || 0) } @examples;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()
	->plan(2 * @examples);

my $conf = '';

foreach my $i (0 .. $#examples) {
	my $e = $examples[$i];

	$e->{uri} ||= "/$i";
	$e->{host} ||= 'example.com';
	$e->{port} = 8100 + $i;

	$t->write_file("$i.secret", "$e->{secret}\n");
	chmod 0600, $t->testdir() . "/$i.secret";

	$conf .= <<"EOF";

    server {
        listen       127.0.0.1:$e->{port};
        server_name  $e->{host};

        location / {
            webhook_verify  $e->{scheme};
            webhook_secret  file:%%TESTDIR%%/$i.secret;

            proxy_pass  http://127.0.0.1:8081;
        }
    }
EOF
}

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%
$conf
}

EOF

my $u = upstream(8081);

$t->clock(1500000000)->run();

###############################################################################

foreach my $e (@examples) {
	$t->clock($e->{now}) if $e->{now};

	is(deliver_example($e), '200, 1 proxied, same body', $e->{name});

	(my $body = $e->{body}) =~ s/[0eo]/1/
		or die "nothing to change in $e->{name}\n";

	is(deliver_example($e, $body), '401, 0 proxied',
		"$e->{name}, changed");
}

###############################################################################

sub deliver_example {
	my ($e, $body) = @_;

	$body = $e->{body} unless defined $body;

	my $r = request(port => $e->{port}, host => $e->{host}, uri => $e->{uri},
		headers => $e->{headers}, body => $body);

	my $n = $u->count();
	my $got = "$r->{status}, $n proxied";

	$got .= $u->last()->{body} eq $body ? ', same body' : ', other body'
		if $n;

	$u->reset();

	return $got;
}

###############################################################################
