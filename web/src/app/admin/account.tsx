import type { Account as AccountView, TemporaryPassword } from "@countersign/shared/schemas";
import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "../../shared/form.tsx";
import { nameWithin } from "../../shared/name-within.tsx";
import { confirmRecent } from "../confirm-recent.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Fact, Facts } from "../parts/facts.tsx";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { SessionRow } from "../parts/session-row.tsx";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useDeviceName } from "../parts/use-device-name.ts";
import { useApp, useAppProblemText } from "../use-app.ts";
import { RoleChoice } from "./role-choice.tsx";

/** One account, and what an administrator may do to it. */
export function AdminAccount() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const { id } = useParams({ from: "/administrators/admin/accounts/$id" });
  const account = useQuery(trpc.users.get.queryOptions({ id: id as AccountView["id"] }));
  const { username } = account.data ?? { username: t`Account` };
  return (
    <>
      <Title text={username}>
        <bdi>{username}</bdi>
      </Title>
      <Loaded query={account}>{(data) => <Details key={data.id} account={data} />}</Loaded>
      <p>
        <Link to="/admin/accounts">
          <Trans>Back to all accounts</Trans>
        </Link>
      </p>
    </>
  );
}

function Details({ account }: { readonly account: AccountView }) {
  const { t } = useLingui();
  const { id, email, createdAt, disabled, deletedAfter } = account;
  return (
    <>
      <Facts>
        <Fact name={t`E-mail address`}>{email === null ? <Trans>None</Trans> : <bdi>{email}</bdi>}</Fact>
        <Fact name={t`Here since`}>
          <Time at={createdAt} style="day" />
        </Fact>
        {deletedAfter !== null && (
          <Fact name={t`Is going to be deleted`}>
            <Time at={deletedAfter} />
          </Fact>
        )}
        <Fact name={t`State`}>{disabled ? <Trans>Disabled</Trans> : <Trans>Active</Trans>}</Fact>
      </Facts>
      <Roles account={account} />
      <Acts account={account} />
      <Sessions account={account} />
      <p>
        <Link to="/admin/events" search={{ account: id }}>
          <Trans>What happened to this account</Trans>
        </Link>
      </p>
    </>
  );
}

function Roles({ account: { id, username, roles } }: { readonly account: AccountView }) {
  const { t } = useLingui();
  const { auth, trpc, queryClient, page } = useApp();
  const describe = useAppProblemText();
  const isOwn = page.session.user.id === id;
  return (
    <section aria-labelledby="roles">
      <h2 id="roles">
        <Trans>What it is</Trans>
      </h2>
      {isOwn && (
        <p className={styles.notice}>
          <Trans>This is your own account: without the role “admin” you cannot come back here.</Trans>
        </p>
      )}
      <div className={styles.narrow}>
        <Form
          submit={t`Save the roles of ${username}`}
          done={t`The roles are saved.`}
          describe={describe}
          send={async (read) => {
            const chosen = read("roles");
            const roles = chosen === "" ? [] : chosen.split("\n");
            const changed = await confirmRecent("accounts", () => auth.trpc.users.setRoles.mutate({ id, roles }));
            queryClient.setQueryData(trpc.users.get.queryKey({ id }), changed);
            return "staying";
          }}
        >
          {() => <RoleChoice key={roles.join()} chosen={roles} />}
        </Form>
      </div>
    </section>
  );
}

function Acts({ account: { id, username, disabled } }: { readonly account: AccountView }) {
  const { t } = useLingui();
  const { auth, trpc, queryClient, page } = useApp();
  const navigate = useNavigate();
  const isOwn = page.session.user.id === id;
  const name = nameWithin(username);
  const [made, setMade] = useState<TemporaryPassword | null>(null);
  const { users } = auth.trpc;
  const reload = async () => {
    await queryClient.invalidateQueries(trpc.users.pathFilter());
  };
  return (
    <section aria-labelledby="acts">
      <h2 id="acts">
        <Trans>What can be done</Trans>
      </h2>
      <div className={styles.acts}>
        {!isOwn && (
          <Confirm
            label={t`Temporary password`}
            name={t`Temporary password for ${username}`}
            title={t`A temporary password for ${username}?`}
            act={async () => {
              setMade(await confirmRecent("accounts", () => users.setTemporaryPassword.mutate({ id })));
              await reload();
            }}
          >
            <p>
              <Trans>
                The password that the account has is replaced, and it is signed out everywhere. The new one is shown to
                you once, and ends in three days.
              </Trans>
            </p>
          </Confirm>
        )}
        <Confirm
          label={t`Sign out`}
          name={t`Sign out ${username} everywhere`}
          title={t`Sign out ${username} everywhere?`}
          act={async () => {
            await users.sessions.revokeAll.mutate({ id });
            await reload();
          }}
        >
          <p>
            <Trans>Every device of this account has to sign in again.</Trans>
          </p>
        </Confirm>
        {disabled ? (
          <Confirm
            label={t`Enable`}
            name={t`Enable ${username}`}
            title={t`Enable ${username}?`}
            act={async () => {
              await users.enable.mutate({ id });
              await reload();
            }}
          >
            <p>
              <Trans>The account can sign in again.</Trans>
            </p>
          </Confirm>
        ) : (
          <Confirm
            label={t`Disable`}
            name={t`Disable ${username}`}
            title={t`Disable ${username}?`}
            act={async () => {
              await users.disable.mutate({ id });
              await reload();
            }}
          >
            <p>
              <Trans>The account is signed out everywhere, and cannot sign in until it is enabled.</Trans>
            </p>
          </Confirm>
        )}
        <Confirm
          label={t`Delete`}
          name={t`Delete ${username}`}
          title={t`Delete ${username}?`}
          act={async () => {
            await confirmRecent("accounts", () => users.remove.mutate({ id }));
            await queryClient.invalidateQueries(trpc.users.list.queryFilter());
            await navigate({ to: "/admin/accounts" });
          }}
        >
          <p>
            <Trans>The account is deleted at once and for good. Nobody can bring it back.</Trans>
          </p>
        </Confirm>
      </div>
      <div role="status">
        {made !== null && (
          <p className={styles.notice}>
            <Trans>
              Tell {name} this password. It is shown only now, and ends on <Time at={made.expiresAt} />:{" "}
              <code>{made.password}</code>
            </Trans>
          </p>
        )}
      </div>
    </section>
  );
}

function Sessions({ account: { id } }: { readonly account: AccountView }) {
  const { t } = useLingui();
  const { auth, trpc, queryClient } = useApp();
  const nameOf = useDeviceName();
  const sessions = useQuery(trpc.users.sessions.list.queryOptions({ id }));
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">
        <Trans>Where it is signed in</Trans>
      </h2>
      <Loaded query={sessions}>
        {(rows) =>
          rows.length === 0 ? (
            <p>
              <Trans>Nowhere.</Trans>
            </p>
          ) : (
            <ul className={styles.rows}>
              {rows.map((session) => (
                <SessionRow key={session.id} session={session} name={nameOf(session.userAgent)}>
                  <Confirm
                    label={t`Sign out`}
                    name={t`Sign out ${nameOf(session.userAgent)}`}
                    title={t`Sign out ${nameOf(session.userAgent)}?`}
                    act={async () => {
                      await auth.trpc.users.sessions.revoke.mutate({ id: session.id });
                      await queryClient.invalidateQueries(trpc.users.sessions.list.queryFilter({ id }));
                    }}
                  >
                    <p>
                      <Trans>This device has to sign in again.</Trans>
                    </p>
                  </Confirm>
                </SessionRow>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}
