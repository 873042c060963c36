import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { FormEvent } from "react";
import button from "../../shared/button.module.css";
import form from "../../shared/form.module.css";
import { Loaded } from "../parts/loading.tsx";
import styles from "../parts/page.module.css";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { Title } from "../parts/title.tsx";
import { useApp } from "../use-app.ts";

/** All accounts, in the order of their usernames. What is looked for, and from where on, is in the address. */
export function Accounts() {
  const { t } = useLingui();
  const { trpc } = useApp();
  const { search = "", cursor } = useSearch({ from: "/administrators/admin/accounts" });
  const navigate = useNavigate({ from: "/admin/accounts" });
  const accounts = useQuery(
    trpc.users.list.queryOptions({ ...(search !== "" && { search }), ...(cursor !== undefined && { cursor }) }),
  );

  function onSearch(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("search") ?? "").trim();
    void navigate({ search: typed === "" ? {} : { search: typed } });
  }

  return (
    <>
      <Title text={t`Accounts`} />
      <search>
        <form className={styles.bar} onSubmit={onSearch}>
          <label className={form.field}>
            <Trans>Username or e-mail address begins with</Trans>
            <span className={form.input}>
              <input key={search} type="search" name="search" dir="auto" defaultValue={search} />
            </span>
          </label>
          <button type="submit" className={button.quiet}>
            <Trans>Search</Trans>
          </button>
          <Link to="/admin/accounts/new">
            <Trans>Make an account</Trans>
          </Link>
        </form>
      </search>
      <Loaded query={accounts}>
        {({ accounts: rows, nextCursor }) => (
          <>
            {rows.length === 0 ? (
              <p>
                <Trans>There is no such account.</Trans>
              </p>
            ) : (
              <Table
                caption={search === "" ? t`By username` : t`Those that begin with “${search}”`}
                rows={rows}
                keyOf={({ id }) => id}
                columns={[
                  {
                    name: t`Username`,
                    cell: ({ id, username }) => (
                      <Link to="/admin/accounts/$id" params={{ id }}>
                        <bdi>{username}</bdi>
                      </Link>
                    ),
                  },
                  { name: t`E-mail address`, cell: ({ email }) => <bdi>{email ?? "–"}</bdi> },
                  { name: t`Roles`, cell: ({ roles }) => (roles.length === 0 ? "–" : roles.join(", ")) },
                  { name: t`Here since`, cell: ({ createdAt }) => <Time at={createdAt} style="day" /> },
                  { name: t`State`, cell: ({ disabled }) => (disabled ? t`Disabled` : t`Active`) },
                ]}
              />
            )}
            <p className={styles.acts}>
              {cursor !== undefined && (
                <Link to="/admin/accounts" search={search === "" ? {} : { search }}>
                  <Trans>First page</Trans>
                </Link>
              )}
              {nextCursor !== null && (
                <Link to="/admin/accounts" search={{ ...(search !== "" && { search }), cursor: nextCursor }}>
                  <Trans>Next page</Trans>
                </Link>
              )}
            </p>
          </>
        )}
      </Loaded>
    </>
  );
}
